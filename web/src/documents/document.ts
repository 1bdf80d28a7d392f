/**
 * Text to value, and where in the text each piece of the value is: JSON where it is JSON, YAML
 * otherwise.
 *
 * Syntax only: which document it is, the engine decides. A field that is there twice is an error in
 * both, because two readers could disagree about it.
 */

import { jsonNode } from "./json";
import { readYaml } from "./library";
import { Refusal } from "./refusal";
import { at, nodeAt, type Path, type SourceNode } from "./source-node";

/** The largest scope map that a registry accepts has a fraction of it. */
export const MAX_LENGTH = 4 << 20;

export type Document =
  | { kind: "value"; value: unknown; at(path: Path): number; node(path: Path): SourceNode }
  | { kind: "problem"; message: string; position: number };

/** Reads a document that begins at `from` in a longer text; all positions are in that text. */
export function readDocument(text: string, from = 0): Document {
  try {
    const { value, node } = read(text);
    const shifted = (path: Path): SourceNode => {
      const found = nodeAt(node, path);
      return { ...found, from: found.from + from, to: found.to + from };
    };
    return {
      kind: "value",
      value,
      node: shifted,
      at: (path) => at(text, nodeAt(node, path)) + from,
    };
  } catch (error) {
    const refusal = error instanceof Refusal ? error : new Refusal("nested too deeply", 0);
    return { kind: "problem", message: refusal.message, position: refusal.position + from };
  }
}

function read(text: string): { value: unknown; node: SourceNode } {
  if (text.length > MAX_LENGTH) throw new Refusal("too large (over 4 MiB)", MAX_LENGTH);
  const json = parsedJson(text);
  return json ? { value: json.value, node: jsonNode(text) } : readYaml(text);
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
