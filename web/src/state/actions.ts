/**
 * The actions of a map that is written into a field: in any form that is recognised, or one a line.
 */

import { type Found, recognise } from "../recognise";

/** Several maps are taken together, and their name says so: a token has one. */
export function parseActions(text: string): { name?: string; actions: string[] } {
  const found = recognise(text).map((part) => part.found);
  const maps = found.flatMap(mapIn);
  const isWhole = found.every((part) => mapIn(part).length > 0);
  // Lines among which something is no rule are shown as they are, or else it would be gone in
  // silence.
  if (maps.length === 0 || (!isWhole && maps.some(({ isLines }) => isLines))) return { actions: lines(text) };
  const names = maps.map(({ name }) => name || "the unnamed map");
  const name = maps.length > 1 ? `${names.join(" and ")}, added up` : (maps[0]?.name ?? "");
  return { name, actions: maps.flatMap(({ actions }) => actions) };
}

interface MapIn {
  name: string;
  actions: string[];
  isLines: boolean;
}

function mapIn(found: Found): MapIn[] {
  if (found.kind === "scopeMap") {
    return [{ name: found.map.name ?? "", actions: [...found.map.actions], isLines: found.form === "lines" }];
  }
  if (found.kind !== "command" || !found.change || found.change.actions.length === 0) return [];
  return [{ name: found.change.scopeMap ?? "", actions: [...found.change.actions], isLines: false }];
}

function lines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
