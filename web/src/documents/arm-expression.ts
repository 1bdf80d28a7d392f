/**
 * The expressions in the texts of an ARM template: `[concat(parameters('name'), '/map')]`.
 *
 * Grammar: a literal (`'it''s'`, a number), or a call with its arguments in brackets, and behind a
 * call any number of `.name` and `[…]`. Follows
 * <https://learn.microsoft.com/azure/azure-resource-manager/templates/template-expressions>. What
 * does not follow it is unknown.
 */

import type { Node } from "./expression";
import { MAX_DEPTH } from "./source-node";

/** Real expressions are shorter. */
const MAX_LENGTH = 1 << 15;

/**
 * Whether a text of a template is an expression: `[[` begins a text that begins with a bracket.
 */
export function isExpression(text: string): boolean {
  return text.startsWith("[") && text.endsWith("]") && !text.startsWith("[[");
}

/** What is between the outer brackets. */
export function readExpression(text: string): Node {
  if (text.length > MAX_LENGTH) return NOT_READ;
  const reader: Reader = { text: text.slice(1, -1), at: 0, depth: 0 };
  const node = readNode(reader);
  skipBlanks(reader);
  return reader.at === reader.text.length ? node : NOT_READ;
}

const NOT_READ: Node = { kind: "unknown", at: 0 };

interface Reader {
  text: string;
  at: number;
  depth: number;
}

function readNode(reader: Reader): Node {
  if (++reader.depth > MAX_DEPTH) return stopped(reader);
  let node = readFirst(reader);
  for (let next = readNext(reader, node); next; next = readNext(reader, node)) node = next;
  reader.depth--;
  return node;
}

/** Nothing is read any more. */
function stopped(reader: Reader): Node {
  reader.at = Number.POSITIVE_INFINITY;
  return NOT_READ;
}

function skipBlanks(reader: Reader) {
  while (reader.at < reader.text.length && /\s/.test(reader.text.charAt(reader.at))) reader.at++;
}

function readFirst(reader: Reader): Node {
  skipBlanks(reader);
  const { text, at } = reader;
  if (text[at] === "'") return readText(reader);
  const [word = ""] = /^(?:-?\d{1,15}|[A-Za-z_][\w.]{0,200})/.exec(text.slice(at, at + 220)) ?? [];
  if (word === "") return stopped(reader);
  reader.at += word.length;
  if (/^[-\d]/.test(word)) return { kind: "value", value: Number(word), at };
  if (!takes(reader, "(")) return stopped(reader);
  return { kind: "call", name: word, given: readArguments(reader), at };
}

/** A quote in a text is written twice. */
function readText(reader: Reader): Node {
  const { text, at } = reader;
  let end = at + 1;
  while (end < text.length && (text[end] !== "'" || text[end + 1] === "'")) end += text[end] === "'" ? 2 : 1;
  if (end >= text.length) return stopped(reader);
  reader.at = end + 1;
  return { kind: "value", value: text.slice(at + 1, end).replaceAll("''", "'"), at };
}

function readArguments(reader: Reader): Node[] {
  const given: Node[] = [];
  if (takes(reader, ")")) return given;
  do given.push(readNode(reader));
  while (takes(reader, ","));
  if (!takes(reader, ")")) stopped(reader);
  return given;
}

/** `.name` or `[index]` behind a value. */
function readNext(reader: Reader, of: Node): Node | null {
  const { at } = reader;
  if (takes(reader, "[")) {
    const name = readNode(reader);
    return takes(reader, "]") ? { kind: "member", of, name, at } : stopped(reader);
  }
  if (!takes(reader, ".")) return null;
  const [word] = /^\w{1,200}/.exec(reader.text.slice(reader.at, reader.at + 220)) ?? [];
  if (!word) return stopped(reader);
  reader.at += word.length;
  return { kind: "member", of, name: { kind: "value", value: word, at }, at };
}

function takes(reader: Reader, sign: string): boolean {
  skipBlanks(reader);
  if (reader.text[reader.at] !== sign) return false;
  reader.at++;
  return true;
}
