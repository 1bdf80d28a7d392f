/**
 * What all resources of Azure Resource Manager share: ids, types, and names that hold the names of what they are in.
 */

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

/** The resource's own name; `null` when a template computes it. */
export function nameOf(resource: Resource): string | null {
  const name = stringOf(resource.name);
  return name === null || name.startsWith("[") ? null : (name.split("/").at(-1) ?? null);
}

/** The registry, from the id or from the name. */
export function registryOf(resource: Resource): string | null {
  const [, registry] = /\/registries\/([^/]+)/i.exec(stringOf(resource.id) ?? "") ?? [];
  if (registry) return registry;
  const name = stringOf(resource.name) ?? "";
  return name.includes("/") && !name.startsWith("[") ? (name.split("/")[0] ?? null) : null;
}

/** The name at the end of an id; of an expression, the last name that is written out in it. */
export function lastOf(id: string): string | null {
  if (!id.startsWith("[")) return id.split("/").at(-1) || null;
  return [...id.matchAll(/'([^']*)'/g)].at(-1)?.[1]?.split("/").at(-1) ?? null;
}
