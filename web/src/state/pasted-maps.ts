/**
 * The scope maps of a text, put beside those of the page or in their place.
 *
 * Maps stay beside those that are in the field already: a token may have either. Otherwise they
 * take the place of what was there.
 */

import type { Found, Part } from "../recognise";
import { isSameMap, writtenMaps } from "./candidates";
import type { ScopeMapDraft } from "./model";
import { type PageState, withMaps } from "./page-state";

export interface PastedMap {
  map: ScopeMapDraft;
  /** Whether it is printed behind a change of the map: it shows what the change has made. */
  isAfterChange: boolean;
}

export interface PastedMaps {
  pasted: PastedMap[];
  /** The maps whose text has gone from the field. */
  removed: ScopeMapDraft[];
  /** Whether other maps stay in the field. */
  areOthers: boolean;
}

/** The maps that a part holds. Those of a file of assertions are parts of their own. */
export function mapsOf(found: Found): ScopeMapDraft[] {
  if (found.kind !== "scopeMap") return [];
  const { name, registry, description, actions } = found.map;
  const known = found.isConditional ? { known: "not" as const } : found.isPart ? { known: "partly" as const } : {};
  return [{ name: name ?? "", registry: registry ?? "", description, actions: [...actions], ...known }];
}

/** Whether a part says what is in a map. */
export function saysMaps(found: Found): boolean {
  if (mapsOf(found).length > 0) return true;
  if (found.kind !== "change" && (found.kind !== "command" || found.outcome === "failed")) return false;
  return (found.change?.actions.length ?? 0) > 0 || (found.change?.open ?? null) !== null;
}

/** Whether a part is a command that changes a token or a map. */
export function isChange(found: Found): boolean {
  return found.kind === "change" || (found.kind === "command" && found.change !== null);
}

/** The maps of the parts that are new in a text, of which `all` are all parts. */
export function pastedIn(added: Part[], all: Part[]): PastedMap[] {
  const changedFrom = changedMaps(all);
  return added.flatMap(({ from, found }) =>
    mapsOf(found).map((map) => {
      const first = Math.min(changedFrom.get(map.name.toLowerCase()) ?? Infinity, changedFrom.get(null) ?? Infinity);
      return { map, isAfterChange: map.name !== "" && first < from };
    }),
  );
}

/** Where the first command is that changes a map of a name; one without a name may change any. */
function changedMaps(parts: Part[]): Map<string | null, number> {
  const changed = new Map<string | null, number>();
  for (const { from, found } of parts) {
    if (found.kind !== "change" && (found.kind !== "command" || found.outcome === "failed")) continue;
    if (!found.change || found.change.token !== null) continue;
    const name = found.change.scopeMap?.toLowerCase() ?? null;
    changed.set(name, Math.min(changed.get(name) ?? from, from));
  }
  return changed;
}

/** The page with the maps of a text. */
export function withPastedMaps(state: PageState, { pasted, removed, areOthers }: PastedMaps): PageState {
  if (pasted.length === 0) return state;
  const registry = state.model.maps[0]?.registry ?? "";
  // The registry is often known from the command that failed, and the map does not name it.
  const named = lastOfEach(pasted).map((map) => ({ ...map, registry: map.registry || registry }));
  const kept = areOthers ? remaining(state.model.maps, removed).filter((map) => !isReplaced(map, pasted)) : [];
  const isNew = (map: ScopeMapDraft) =>
    !kept.some(
      (other) => isSameMap(other, map) && other.known === map.known && `${other.actions}` === `${map.actions}`,
    );
  return withMaps(state, [...kept, ...named.filter(isNew)]);
}

/** A map that is in a text twice is what it was the last time. */
function lastOfEach(pasted: PastedMap[]): ScopeMapDraft[] {
  const named = new Map(
    pasted.map(({ map }, index) => [map.name === "" ? String(index) : `${map.registry}/${map.name}`, map]),
  );
  return [...named.values()];
}

/**
 * Whether a text says what has become of a map of the page: it is whole where the map is not
 * certain, or printed behind what has changed the map.
 */
function isReplaced(map: ScopeMapDraft, pasted: PastedMap[]): boolean {
  return pasted.some(
    ({ map: text, isAfterChange }) =>
      text.name !== "" &&
      isSameMap(text, map) &&
      (isAfterChange || (map.known !== undefined && text.known === undefined)),
  );
}

/** The maps of the page without those whose text has gone. */
function remaining(maps: ScopeMapDraft[], removed: ScopeMapDraft[]): ScopeMapDraft[] {
  const isOf = (map: ScopeMapDraft, text: ScopeMapDraft) =>
    map.name === text.name && (text.registry === "" || map.registry === text.registry);
  return removed.reduce((rest, text) => {
    const same = rest.findIndex((map) => isOf(map, text) && `${map.actions}` === `${text.actions}`);
    const index = same >= 0 ? same : rest.findIndex((map) => isOf(map, text));
    return index < 0 ? rest : rest.toSpliced(index, 1);
  }, writtenMaps(maps));
}
