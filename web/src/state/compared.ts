/**
 * Which two maps are compared: any two of those on the page, or one of them with a map
 * that was pasted to be compared with.
 *
 * Never a sum of several: a token has one.
 */

import type { Difference } from "../engine";
import type { Model, ScopeMapDraft } from "./model";

export type Side = "before" | "after";

/** The index of the map that was pasted to be compared with. */
export const PASTED = -1;

/**
 * The place of a map among those of the page, or of the pasted one. A map that has gone leaves the
 * choice to the page, which never compares a map with itself.
 */
export function comparedIndex(model: Model, side: Side): number {
  const chosen = chosenIndex(model, side);
  if (chosen !== null) return chosen;
  const { maps, old } = model;
  const areBothHere = old === null && maps.length > 1;
  const preferred = side === "after" ? Number(areBothHere) : areBothHere ? 0 : PASTED;
  const other = chosenIndex(model, side === "before" ? "after" : "before");
  return [preferred, ...maps.keys(), PASTED].find((index) => index !== other) ?? preferred;
}

/** The map that a person has chosen, if it is still there. */
function chosenIndex({ maps, compare }: Model, side: Side): number | null {
  const chosen = compare[side];
  return chosen !== null && chosen < maps.length ? chosen : null;
}

/** The choice after the map at a place has gone: others move up. */
export function withoutMap({ before, after }: Model["compare"], removed: number): Model["compare"] {
  const moved = (chosen: number | null) => {
    if (chosen === null || chosen < removed) return chosen;
    return chosen === removed ? null : chosen - 1;
  };
  return { before: moved(before), after: moved(after) };
}

export function comparedMap(model: Model, side: Side): ScopeMapDraft | null {
  const index = comparedIndex(model, side);
  return (index === PASTED ? model.old : model.maps[index]) ?? null;
}

const WEIGHTS: Record<string, number> = { delete: 4, push: 3, metadata_write: 2 };

/**
 * The heaviest difference first: delete and push that are gained below a wildcard, then what else
 * is gained, then what is lost; and delete and push before what only reads.
 */
export function byWeight(differences: readonly Difference[]): Difference[] {
  return differences
    .map((difference) => ({ difference, weight: weightOf(difference) }))
    .sort((one, other) => other.weight - one.weight)
    .map(({ difference }) => difference);
}

/** Whether delete or push is gained by what is not there yet. */
export function isGrave({ pattern, gained }: Difference): boolean {
  return pattern.endsWith("*") && gained.some((action) => action === "delete" || action === "push");
}

function weightOf(difference: Difference): number {
  const { pattern, gained, lost } = difference;
  const heaviest = (actions: readonly string[]) => Math.max(0, ...actions.map((action) => WEIGHTS[action] ?? 1));
  const isBelow = pattern.endsWith("*");
  return (isGrave(difference) ? 1000 : 0) + heaviest(gained) * 100 + (isBelow ? 50 : 0) + heaviest(lost);
}

/** What a map is called among the others. */
export function comparedName({ maps, old }: Model, index: number): string {
  if (index === PASTED) return old?.name ? `${old.name} (pasted)` : "the pasted map";
  const name = maps[index]?.name ?? "";
  const isAlone = name !== "" && maps.filter((map) => map.name === name).length === 1;
  return isAlone ? name : `${name || "map"} (${index + 1})`;
}
