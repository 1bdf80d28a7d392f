/**
 * Where the pieces of a document are in its text, as a tree of the same shape as its value.
 */

export interface SourceNode {
  from: number;
  to: number;
  /** The fields of an object by their names, or the items of a list by their numbers. */
  children: Map<string | number, SourceNode> | null;
}

export type Path = readonly (string | number)[];

/**
 * Real documents are not deeper, and deeper ones would exhaust the stack of the code that reads the
 * value.
 */
export const MAX_DEPTH = 100;

/** The node that a path leads to, or the last one on the way that exists. */
export function nodeAt(root: SourceNode, path: Path): SourceNode {
  let node = root;
  for (const step of path) {
    const next = node.children?.get(step);
    if (!next) return node;
    node = next;
  }
  return node;
}

/** Where the content begins: behind the quote of a string that has one. */
export function at(text: string, node: SourceNode): number {
  const first = text[node.from];
  return first === '"' || first === "'" ? node.from + 1 : node.from;
}

/** `properties.actions[3]`, as the engine writes paths. */
export function steps(path: string): Path {
  const pieces = path.match(/[^.[\]]+/g) ?? [];
  return pieces.map((piece) => (/^\d+$/.test(piece) ? Number(piece) : piece));
}
