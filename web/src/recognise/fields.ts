/**
 * Fields of log lines that name the image and the registry: `image_name=team/app`,
 * `"packageName": "contoso.azurecr.io/team/app"`.
 *
 * Follows what Argo CD Image Updater, Renovate and Flux write. `repository` is none of them: there
 * it is a repository of sources.
 */

import { route } from "../engine";
import { accepted } from "./attempt";
import { referenceOf } from "./names";

/** In the order in which they say most. */
const IMAGES = ["canonical_name", "packageName", "dockerRepository", "image_name"];
const REGISTRIES = ["registryHost", "registry", "registryUrl"];

/** In prose a colon follows words too, so one counts only behind a quote. */
const VALUE = String.raw`(?:=|\\?["']\s{0,3}:\s{0,3})\\?["']?([^\s"'\\,;)}\]]{1,500})`;

export interface NamedByFields {
  registry: string | null;
  repository: string;
  required: string[];
}

export function namedByFields(line: string): NamedByFields | null {
  const image = fieldOf(line, IMAGES);
  const reference = image === null ? null : referenceOf(image);
  if (!reference) return null;
  const { repository } = reference;
  const registry = reference.registry ?? hostOf(fieldOf(line, REGISTRIES));
  const tags = LISTS_TAGS.test(line)
    ? accepted(() => route("GET", `/v2/${repository}/tags/list`, "acr"))?.scopes
    : null;
  return { registry, repository, required: tags ?? [`repository:${repository}:pull`] };
}

/** These programs look for newer tags. */
const LISTS_TAGS =
  /\b(?:(?:get|list|fetch|request|look ?up)(?:ing)? (?:the )?tags|tags\/list|datasource|docker registry failure)\b/i;

function fieldOf(line: string, names: string[]): string | null {
  for (const name of names) {
    const value = new RegExp(`(?:^|[\\s"',{])${name}${VALUE}`).exec(line)?.[1];
    if (value) return value;
  }
  return null;
}

function hostOf(value: string | null): string | null {
  return value?.replace(/^https?:\/\//, "").split("/")[0] || null;
}
