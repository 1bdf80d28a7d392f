/**
 * Text to value, and where in the text each piece of the value stands: JSON where it is JSON, YAML
 * otherwise.
 *
 * Syntax only: which document it is, the engine decides. A field that stands twice is an error in
 * both, because two readers could disagree about it.
 */

import { jsonPlace } from "./json";
import { readYaml } from "./library";
import { at, type Path, type Place, placeOf } from "./place";
import { Refusal } from "./refusal";

/** The largest scope map that a registry accepts has a fraction of it. */
export const LONGEST = 4 << 20;

export type Document =
  | { kind: "value"; value: unknown; at(path: Path): number; place(path: Path): Place }
  | { kind: "problem"; message: string; position: number };

/** Reads a document that stands at `from` in a longer text; all places are places in that one. */
export function readDocument(text: string, from = 0): Document {
  try {
    const { value, place } = read(text);
    const shifted = (path: Path): Place => {
      const found = placeOf(place, path);
      return { ...found, from: found.from + from, to: found.to + from };
    };
    return {
      kind: "value",
      value,
      place: shifted,
      at: (path) => at(text, placeOf(place, path)) + from,
    };
  } catch (error) {
    const refusal = error instanceof Refusal ? error : new Refusal("nested too deeply", 0);
    return { kind: "problem", message: refusal.message, position: refusal.position + from };
  }
}

function read(text: string): { value: unknown; place: Place } {
  if (text.length > LONGEST) throw new Refusal("a document of more than 4 MiB", LONGEST);
  const json = parsedJson(text);
  return json ? { value: json.value, place: jsonPlace(text) } : readYaml(text);
}

/**
 * What JSON.parse says of other texts differs between browsers; YAML's words are used for those.
 */
function parsedJson(text: string): { value: unknown } | null {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return null;
  }
}
