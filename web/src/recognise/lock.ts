/**
 * What `az acr repository show` and `az acr manifest show-metadata` print: what may be done with a
 * repository, a tag or a manifest.
 */

import type { Flag, Lock } from "./found";
import { isResource, type Resource, stringOf } from "./resource";

export function isLock(value: Resource): boolean {
  return isResource(value.changeableAttributes) || typeof value.writeEnabled === "boolean";
}

export function lockOf(value: Resource): Lock {
  const attributes = isResource(value.changeableAttributes) ? value.changeableAttributes : value;
  const digest = stringOf(value.digest);
  const name = stringOf(value.name);
  // A tag prints its own name and not that of its repository; a repository in newer versions does
  // not say `imageName` either.
  const isTag = name !== null && digest !== null;
  return {
    registry: stringOf(value.registry),
    repository: stringOf(value.imageName) ?? (isTag ? null : name),
    tag: isTag ? name : null,
    digest: isTag ? null : digest,
    read: flagOf(attributes.readEnabled),
    write: flagOf(attributes.writeEnabled),
    delete: flagOf(attributes.deleteEnabled),
  };
}

function flagOf(value: unknown): Flag {
  return typeof value === "boolean" ? value : null;
}
