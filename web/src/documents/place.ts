/**
 * Where the pieces of a document stand, as a tree of the same shape as its value.
 */

export interface Place {
  from: number;
  to: number;
  /** The fields of an object by their names, or the items of a list by their numbers. */
  children: Map<string | number, Place> | null;
}

export type Path = readonly (string | number)[];

/**
 * Deeper documents are not what anybody writes, and would exhaust the stack of whoever reads the
 * value.
 */
export const DEEPEST = 100;

/** The place that a path leads to, or the last one on the way that exists. */
export function placeOf(root: Place, path: Path): Place {
  let place = root;
  for (const step of path) {
    const next = place.children?.get(step);
    if (!next) return place;
    place = next;
  }
  return place;
}

/** Where the content begins: behind the quote of a string that has one. */
export function at(text: string, place: Place): number {
  const first = text[place.from];
  return first === '"' || first === "'" ? place.from + 1 : place.from;
}

/** `properties.actions[3]`, as the engine writes paths. */
export function steps(path: string): Path {
  const pieces = path.match(/[^.[\]]+/g) ?? [];
  return pieces.map((piece) => (/^\d+$/.test(piece) ? Number(piece) : piece));
}
