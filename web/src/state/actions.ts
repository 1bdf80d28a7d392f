/** The actions of a map that is written into a field: in any form that is recognised, or one a line. */

import { recognise } from "../recognise";

export function parseActions(text: string): { name?: string; actions: string[] } {
  for (const { found } of recognise(text)) {
    if (found.kind === "scopeMap") return { name: found.map.name ?? "", actions: [...found.map.actions] };
  }
  return { actions: lines(text) };
}

function lines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
