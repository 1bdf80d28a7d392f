/**
 * A JSON Web Token anywhere in a line, whole or cut; a terminal may have broken it into lines.
 */

import { endOfLine } from "../documents/extent";
import { lineAt, type Reading } from "./reading";

/** It may follow other letters, but its second part is no beginning. */
const JWT = /(?<![\w.-])[\w-]{0,200}?(eyJ[\w-]{7,}(?:\.[\w-]*){0,2})/g;

/** A line of a token that was broken; its last one is short where the signature was taken away. */
const REST = /^(?:[\w.-]{20,}|[\w-]+\.…)$/;

/** Shorter lines are not broken by a terminal. */
const SHORTEST_BROKEN = 60;

export function readJwt(text: string, at: number): Reading | null {
  const line = lineAt(text, at);
  const all = [...line.matchAll(JWT)].slice(0, 8).map(({ 0: whole, 1: token = "", index }) => {
    return { token, index: index + whole.length - token.length };
  });
  const found = all.filter(({ token }) => !isOtherJson(token));
  const last = found[found.length - 1];
  if (!last) return null;
  const end = at + line.length;
  const parts = found.map(({ token, index }) => jwt(token, at + index));
  const isBroken = last.index + last.token.length === line.length && line.length >= SHORTEST_BROKEN;
  if (!isBroken) return { parts, to: end };
  const { token, to } = unbroken(text, last.token, end);
  return { parts: [...parts.slice(0, -1), { ...jwt(token, at + last.index), to }], to };
}

/**
 * Base64 of any JSON begins as a token does: that of a docker configuration is no header of one.
 */
function isOtherJson(token: string): boolean {
  if (token.includes(".")) return false;
  const digits = token.replaceAll("-", "+").replaceAll("_", "/");
  const text = atob(digits.slice(0, digits.length - (digits.length % 4)));
  return /^\{"[\x20-\x7e]{20}/.test(text) && !/"(?:alg|typ|kid|enc)"/.test(text);
}

function jwt(token: string, from: number) {
  return { from, to: from + token.length, found: { kind: "jwt", token } } as const;
}

/** The token with the lines that follow, as long as they look like its rest. */
function unbroken(text: string, start: string, end: number): { token: string; to: number } {
  const pieces = [start];
  let to = end;
  let dots = dotsIn(start);
  for (let line = endOfLine(text, end) + 1; line < text.length; line = endOfLine(text, line) + 1) {
    const next = lineAt(text, line);
    dots += dotsIn(next);
    if (!REST.test(next) || next.startsWith("eyJ") || dots > 2) break;
    pieces.push(next.replace("…", ""));
    to = line + next.length;
    if (next.length < SHORTEST_BROKEN) break;
  }
  return { token: pieces.join(""), to };
}

function dotsIn(text: string): number {
  return text.split(".").length - 1;
}
