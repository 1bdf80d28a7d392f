/**
 * How the recogniser reads: one reader for each kind of thing, asked at the first word of a line.
 *
 * A reader looks no further than its line unless it keeps what it looks at, so that the whole stays
 * linear.
 */

import { endOfLine } from "../documents/extent";
import type { Refused } from "./attempt";
import type { Found, FoundChange, FoundUnknown, Part } from "./found";

/** What is from the asked position to `to`, which is the end of a line. */
export interface Reading {
  parts: Part[];
  to: number;
}

export type Reader = (text: string, at: number) => Reading | null;

/** From `at` to the end of its line, without blanks at the end. */
export function lineAt(text: string, at: number): string {
  return text.slice(at, endOfLine(text, at)).trimEnd();
}

export function onePart(from: number, to: number, found: Found): Reading {
  return { parts: [{ from, to, found }], to };
}

/** What the engine refuses, at its position in the text. */
export function unknown(refused: Pick<Refused, "message" | "hint" | "position">, from = 0): FoundUnknown {
  const { message, hint, position } = refused;
  return { kind: "unknown", message, hint, position: position + from };
}

/** That a token or a scope map is no more; `null` without its name. */
export function deletion(registry: string | null, name: string | null, isToken: boolean): FoundChange | null {
  if (name === null) return null;
  const nothing = { status: null, actions: [], at: [], removed: [], passwords: null, open: null };
  const named = isToken ? { token: name, scopeMap: null } : { token: null, scopeMap: name };
  return { kind: "change", registry, change: { does: "deletes", ...named, ...nothing } };
}
