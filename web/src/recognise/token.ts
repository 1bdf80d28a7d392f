/**
 * Tokens of a registry: what `az acr token` prints, the ARM resource, and new credentials. The
 * passwords' values are not read.
 */

import type { FoundToken, TokenStatus } from "./found";
import { isResource, lastOf, nameOf, type Resource, registryOf, stringOf, typeOf } from "./resource";

export function isToken(value: Resource): boolean {
  const properties = propertiesOf(value);
  const isNamed = /tokens$|containerregistry:token$/.test(typeOf(value) ?? "");
  return (
    isNamed || "scopeMapId" in properties || "scope_map_id" in properties || (passwordsOf(properties)?.length ?? 0) > 0
  );
}

export function tokenOf(value: Resource): FoundToken {
  const properties = propertiesOf(value);
  const credentials = isResource(properties.credentials) ? properties.credentials : properties;
  const scopeMap = stringOf(properties.scopeMapId) ?? stringOf(properties.scope_map_id);
  return {
    kind: "token",
    name: nameOf(value) ?? stringOf(credentials.username),
    scopeMap: scopeMap === null ? null : lastOf(scopeMap),
    status: statusOf(properties),
    registry: registryOf(value) ?? registryOf({ id: scopeMap }),
    passwords: passwordsOf(properties),
    ...(isComputed(properties) ? { hasUnknownMap: true } : {}),
  };
}

/** Whether there is an id of a map, and no name in it. */
function isComputed({ scopeMapId, scope_map_id: other }: Resource): boolean {
  const id = scopeMapId ?? other ?? null;
  return id !== null && (typeof id !== "string" || (id !== "" && lastOf(id) === null));
}

/**
 * A resource without a status is enabled; one that is computed from what is not here is not known.
 */
function statusOf({ status, enabled }: Resource): TokenStatus | null {
  if (typeof enabled === "boolean") return enabled ? "enabled" : "disabled";
  if (status === undefined || status === null) return null;
  const text = stringOf(status)?.toLowerCase();
  return text === "enabled" || text === "disabled" ? text : "unknown";
}

/** `az` prints the properties among the other fields. */
function propertiesOf(value: Resource): Resource {
  return isResource(value.properties) ? value.properties : value;
}

function passwordsOf(properties: Resource): FoundToken["passwords"] {
  const { credentials } = properties;
  const passwords = isResource(credentials) ? credentials.passwords : properties.passwords;
  if (!Array.isArray(passwords)) return null;
  return passwords.filter(isResource).map(({ name, creationTime, expiry }) => ({
    name: stringOf(name) ?? "",
    created: stringOf(creationTime),
    expiry: stringOf(expiry),
  }));
}
