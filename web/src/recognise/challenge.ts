/**
 * `WWW-Authenticate` headers: bare, with their name, in a response of `curl -i`, or as clients log
 * them.
 */

import { endOfLine } from "../documents/extent";
import { type Challenge, readChallenges } from "../engine";
import { attempt } from "./attempt";
import type { Part } from "./found";
import { lineAt, onePart, type Reading, unknown } from "./reading";

export function readChallenge(text: string, at: number): Reading | null {
  const line = lineAt(text, at);
  if (/^(?:< )?HTTP\/\d/.test(line)) return readHead(text, at);
  const header = headerIn(text, at, line);
  return header && onePart(at, header.to, challengeOf([header]));
}

/** The head of a response; the body that follows is its own thing. */
function readHead(text: string, at: number): Reading {
  const headers: Header[] = [];
  let to = endOfLine(text, at);
  for (let line = to + 1; line < text.length; line = to + 1) {
    const content = lineAt(text, line);
    if (!/^(?:< )?[\w-]+:|^<$/.test(content)) break;
    const header = headerIn(text, line, content);
    if (header) headers.push(header);
    to = header?.to ?? endOfLine(text, line);
  }
  if (headers.length > 0) return onePart(at, to, challengeOf(headers));
  const status = lineAt(text, at);
  return UNAVAILABLE.test(status) ? onePart(at, to, unavailable(status)) : { parts: [], to };
}

const UNAVAILABLE = /^(?:< )?HTTP\/[\d.]+ (?:429|5\d\d)\b/;

function unavailable(text: string): Part["found"] {
  return { kind: "error", text, errorClass: "unavailable", registry: null, repository: null, required: [] };
}

interface Header {
  value: string;
  /** Where the value begins. */
  from: number;
  to: number;
}

const NAME = /www-authenticate["']?\s{0,9}[:=]\s{0,9}(["']?)/i;

function headerIn(text: string, at: number, line: string): Header | null {
  if (/^(?:Bearer|Basic)\s+realm=/i.test(line)) return folded(text, at, at);
  const name = NAME.exec(line);
  if (!name) return null;
  const from = at + name.index + name[0].length;
  return name[1] ? quoted(text, from, name[1]) : folded(text, at, from);
}

/** A header goes on in the next line when that one begins with a blank and the next parameter. */
function folded(text: string, at: number, from: number): Header {
  let to = endOfLine(text, at);
  while (/^[ \t]+[a-z_]+=/i.test(text.slice(to + 1, to + 100))) to = endOfLine(text, to + 1);
  return { value: text.slice(from, to).replace(/\s/g, " ").trimEnd(), from, to };
}

/** As a client logs it: inside quotes, with its own quotes escaped. */
function quoted(text: string, from: number, quote: string): Header {
  const line = text.slice(from, endOfLine(text, from));
  const end = line.search(quote === '"' ? /(?<!\\)"/ : /'/);
  const value = (end < 0 ? line : line.slice(0, end)).replaceAll('\\"', '"');
  return { value, from, to: from + line.length };
}

function challengeOf(headers: Header[]): Part["found"] {
  const challenges: Challenge[] = [];
  for (const { value, from } of headers) {
    const read = attempt(() => readChallenges(value));
    if (read.kind === "refused") return unknown(read, from);
    challenges.push(...read.value);
  }
  return { kind: "challenge", challenges };
}
