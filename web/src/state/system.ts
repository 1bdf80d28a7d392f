/**
 * The system-defined scope maps: by their names, and the narrowest of them that allows a request.
 * They cannot be changed.
 */

import { attempt, type Catalog, Principal, systemScopeMaps } from "../engine";
import type { ScopeMapDraft } from "./model";

export function systemMap(name: string): ScopeMapDraft | null {
  const map = systemScopeMaps().find((map) => map.name === name);
  return map ? { name, registry: "", description: map.description, actions: map.actions } : null;
}

/** The name of the system-defined map with the fewest actions that allows these scopes. */
export function narrowest(scopes: string, catalog: Catalog): string | null {
  const maps = systemScopeMaps().sort((one, other) => one.actions.length - other.actions.length);
  return maps.find((map) => allows(map.actions, scopes, catalog))?.name ?? null;
}

function allows(actions: string[], scopes: string, catalog: Catalog): boolean {
  const principal = new Principal(catalog);
  const denied = attempt(() => {
    principal.add("", actions);
    return principal.claims(scopes).denied;
  });
  principal.free();
  return denied.kind === "value" && denied.value.length === 0;
}
