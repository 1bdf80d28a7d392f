/** Access entries as scopes, the form in which the engine takes and gives them. */

import { type AccessEntry, readScopes } from "../engine";

export function scopeText(entry: AccessEntry): string {
  return `${entry.type}:${entry.name}:${entry.actions.join(",")}`;
}

/** All scopes, one for each resource. */
export function mergeScopes(scopes: readonly string[]): string[] {
  const unique = [...new Set(scopes)];
  return readScopes(unique.join(" ")).scopes.map(scopeText);
}
