/**
 * An answer of a registry that stands escaped in a line, as logs in JSON and those of .NET hold it:
 * the same as over several lines.
 */

import { readDocument } from "../documents/document";
import { endOfBrackets } from "../documents/extent";
import { readChallenge } from "./challenge";
import { contents } from "./contents";
import type { Part } from "./found";

/** Some logs hold a log that holds the answer. */
const MOST_LEVELS = 3;
/** Nobody reads more of one line. */
const LONGEST = 1 << 16;

const BODY = '{"errors":';
const ESCAPED = /\{\s{0,9}\\+"errors\\+"\s{0,9}:/;

/**
 * The body and the challenge in a text that begins at `at`; none when nothing stands escaped in
 * it.
 */
export function escapedIn(text: string, at: number): Part[] {
  const place = text.search(ESCAPED);
  if (place < 0 || place > LONGEST) return [];
  const plain = unescaped(text.slice(0, LONGEST));
  const body = bodyIn(plain);
  const header = text.search(/www-authenticate/i);
  const challenge = challengeIn(plain);
  // Each takes the piece of the text in which it stands.
  const middle = header > place ? header : text.length;
  const parts = body.map((found) => ({ from: at, to: at + middle, found }));
  return challenge && header > place
    ? [...parts, { from: at + middle, to: at + text.length, found: challenge }]
    : parts;
}

function unescaped(text: string): string {
  let plain = text;
  for (let level = 0; level < MOST_LEVELS && !plain.includes(BODY); level++) {
    plain = plain.replace(/\\(["\\/nrt])/g, (_, sign: string) => SIGNS[sign] ?? sign);
  }
  return plain;
}

const SIGNS: Record<string, string> = { n: "\n", r: "\r", t: "\t" };

function bodyIn(plain: string): Part["found"][] {
  const start = plain.indexOf(BODY);
  const end = start < 0 ? null : endOfBrackets(plain, start);
  if (end === null) return [];
  const document = readDocument(plain.slice(start, end));
  if (document.kind === "problem") return [];
  return contents(document, { from: 0, to: end })
    .map(({ found }) => found)
    .slice(0, 1);
}

function challengeIn(plain: string): Part["found"] | null {
  const start = plain.search(/^\s*www-authenticate\s*:/im);
  if (start < 0) return null;
  const from = start + plain.slice(start).search(/\S/);
  return readChallenge(plain.replaceAll("\r", "\n"), from)?.parts[0]?.found ?? null;
}
