/**
 * An answer of a registry, escaped in a line, as logs in JSON and those of .NET hold it:
 * the same as over several lines.
 */

import { readDocument } from "../documents/document";
import { endOfBrackets } from "../documents/extent";
import { readChallenge } from "./challenge";
import { contents } from "./contents";
import type { Part } from "./found";

/** Some logs hold a log that holds the answer. */
const MAX_LEVELS = 3;
/** Longer lines are read as far as this. */
const MAX_LENGTH = 1 << 16;

const BODY = '{"errors":';
const ESCAPED = /\{\s{0,9}\\+"errors\\+"\s{0,9}:/;

/**
 * The body and the challenge in a text that begins at `at`; none when nothing is escaped in
 * it.
 */
export function escapedIn(text: string, at: number): Part[] {
  const start = text.search(ESCAPED);
  if (start < 0 || start > MAX_LENGTH) return [];
  const unescapedText = unescaped(text.slice(0, MAX_LENGTH));
  const body = bodyIn(unescapedText);
  const header = text.search(/www-authenticate/i);
  const challenge = challengeIn(unescapedText);
  // Each takes the piece of the text in which it is.
  const middle = header > start ? header : text.length;
  const parts = body.map((found) => ({ from: at, to: at + middle, found }));
  return challenge && header > start
    ? [...parts, { from: at + middle, to: at + text.length, found: challenge }]
    : parts;
}

function unescaped(text: string): string {
  let result = text;
  for (let level = 0; level < MAX_LEVELS && !result.includes(BODY); level++) {
    result = result.replace(/\\(["\\/nrt])/g, (_, sign: string) => SIGNS[sign] ?? sign);
  }
  return result;
}

const SIGNS: Record<string, string> = { n: "\n", r: "\r", t: "\t" };

function bodyIn(unescapedText: string): Part["found"][] {
  const start = unescapedText.indexOf(BODY);
  const end = start < 0 ? null : endOfBrackets(unescapedText, start);
  if (end === null) return [];
  const document = readDocument(unescapedText.slice(start, end));
  if (document.kind === "problem") return [];
  return contents(document, { from: 0, to: end })
    .map(({ found }) => found)
    .slice(0, 1);
}

function challengeIn(unescapedText: string): Part["found"] | null {
  const start = unescapedText.search(/^\s*www-authenticate\s*:/im);
  if (start < 0) return null;
  const from = start + unescapedText.slice(start).search(/\S/);
  return readChallenge(unescapedText.replaceAll("\r", "\n"), from)?.parts[0]?.found ?? null;
}
