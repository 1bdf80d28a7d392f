/**
 * The actions of a map that is written into a field: in any form that is recognised, or one a line.
 */

import { type Found, recognise } from "../recognise";

/** What a text holds: one map, the names of several, or nothing. */
export type WrittenMap =
  | { kind: "map"; name: string; actions: string[] }
  | { kind: "several"; names: string[] }
  | { kind: "nothing" };

/** Several maps are never added up: a token has one. */
export function readMap(text: string): WrittenMap {
  if (text.trim() === "") return { kind: "nothing" };
  const found = recognise(text).map((part) => part.found);
  const maps = found.flatMap(mapIn);
  const isWhole = found.every((part) => mapIn(part).length > 0);
  // Lines among which something is no rule are shown as they are, or else it would be gone in
  // silence.
  if (maps.length === 0 || (!isWhole && maps.some(({ isLines }) => isLines))) {
    return { kind: "map", name: "", actions: lines(text) };
  }
  const [map, ...others] = maps;
  if (others.length > 0) return { kind: "several", names: maps.map(({ name }) => name || "a map without a name") };
  return { kind: "map", name: map?.name ?? "", actions: map?.actions ?? [] };
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
