/**
 * What all resources of Azure Resource Manager share: ids, types, and names that hold the names of
 * what they are in.
 */

import { HOLE } from "../documents/unknown";

export type Resource = Record<string, unknown>;

export function isResource(value: unknown): value is Resource {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function stringOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

/** The type in lower case, as the last word of it tells the kind. */
export function typeOf(resource: Resource): string | null {
  return stringOf(resource.type)?.toLowerCase() ?? null;
}

/**
 * Whether a text is all written out: in expressions and in other languages a variable replaces a
 * piece of it.
 */
export function isWritten(text: string): boolean {
  return !text.includes(HOLE) && !/^\[|\$\{|\{\{/.test(text);
}

/** A name that is all written out. */
export function written(text: string | null | undefined): string | null {
  return text && isWritten(text) ? text : null;
}

/** How tools call the name of a token, and of the registry that it is in. */
const NAMES = ["name", "tokenName", "token_name"];
const REGISTRIES = ["registryName", "registry_name", "container_registry_name", "containerRegistryName"];

function firstOf(resource: Resource, fields: string[]): string | null {
  const inner = isResource(resource.properties) ? resource.properties : {};
  return (
    fields.map((field) => stringOf(resource[field]) ?? stringOf(inner[field])).find((text) => text !== null) ?? null
  );
}

/** The resource's own name; `null` when it is computed from what is not here. */
export function nameOf(resource: Resource): string | null {
  return written(firstOf(resource, NAMES)?.split("/").at(-1));
}

/** The registry, from the id or from the name. */
export function registryOf(resource: Resource): string | null {
  const [, registry] = /\/registries\/([^/]+)/i.exec(stringOf(resource.id) ?? "") ?? [];
  if (registry) return written(registry);
  const named = firstOf(resource, REGISTRIES);
  const name = stringOf(resource.name) ?? "";
  return written(named ?? (name.includes("/") ? name.split("/")[0] : null));
}

/** The name at the end of an id; `null` when it is computed from what is not here. */
export function lastOf(id: string): string | null {
  return written(id.split("/").at(-1));
}
