/**
 * A block of Terraform's language: its labels, the blocks in it, and its attributes as far as they
 * are written out.
 *
 * Strings, words, lists and objects are read, also those in a call that only wraps them, such as
 * `jsonencode` and `concat`; comments and heredocs are passed over. Follows
 * <https://developer.hashicorp.com/terraform/language/syntax/configuration>. Nothing else is
 * evaluated: a string with `${…}` in it is a problem with its position, and a list of which
 * something is computed is not whole.
 */

import { MAX_DEPTH } from "./source-node";
import { nextToken, type Token } from "./terraform-tokens";

export interface Block {
  /** The word before the labels. */
  type: string;
  labels: string[];
  attributes: Map<string, Expression>;
  blocks: Block[];
  to: number;
  problems: { message: string; position: number }[];
}

export type Expression =
  | { kind: "string"; text: string; at: number }
  | { kind: "list"; items: Expression[]; isWhole: boolean; at: number }
  | { kind: "object"; fields: Map<string, Expression>; at: number }
  | { kind: "other"; text: string; at: number };

type Problems = Block["problems"];

/** Reads the block whose first word is at `from`; `null` when there is no block. */
export function readBlock(text: string, from: number): Block | null {
  const type = nextToken(text, from);
  return type?.kind === "word" ? blockOf(text, type, [], 0) : null;
}

function blockOf(text: string, type: Token, problems: Problems, depth: number): Block | null {
  const block: Block = { type: type.text, labels: [], attributes: new Map(), blocks: [], to: type.to, problems };
  let token = nextToken(text, type.to);
  for (; token?.kind === "string"; token = nextToken(text, token.to)) block.labels.push(token.text);
  if (!token || !isMark(token, "{")) return null;
  block.to = readBody(text, token.to, block, depth);
  return block;
}

function isMark(token: Token, mark: string): boolean {
  return token.kind === "mark" && token.text === mark;
}

function readBody(text: string, from: number, block: Block, depth: number): number {
  let name: Token | null = null;
  for (let token = nextToken(text, from); token; token = nextToken(text, token.to)) {
    if (isMark(token, "}")) return token.to;
    if (isMark(token, "{")) token = { ...token, to: readNested(text, name, token, block, depth) };
    else if (isMark(token, "=") && name !== null) {
      const { expression, to } = readExpression(text, token.to, block.problems, depth);
      if (expression) block.attributes.set(name.text, expression);
      token = { ...token, to };
    }
    // The labels of a nested block are between its name and its bracket.
    if (token.kind !== "string") name = token.kind === "word" ? token : null;
  }
  block.problems.push({ message: "missing closing brace", position: text.length });
  return text.length;
}

function readNested(text: string, name: Token | null, open: Token, block: Block, depth: number): number {
  const nested = name && depth < MAX_DEPTH ? blockOf(text, name, block.problems, depth + 1) : null;
  if (!nested) return skip(text, open);
  block.blocks.push(nested);
  return nested.to;
}

interface Read {
  expression: Expression | null;
  to: number;
}

function readExpression(text: string, from: number, problems: Problems, depth: number): Read {
  const token = nextToken(text, from);
  if (!token) return { expression: null, to: text.length };
  const read = readWritten(text, token, problems, depth);
  if (read && endsAt(text, read.to)) return read;
  const to = endOfExpression(text, token);
  return { expression: { kind: "other", text: text.slice(token.from, to).trim(), at: token.from }, to };
}

/** Whether an expression is over here: an operator behind a value makes something else of it. */
function endsAt(text: string, to: number): boolean {
  const next = nextToken(text, to);
  return !next || text.slice(to, next.from).includes("\n") || (next.kind === "mark" && "}]),#".includes(next.text));
}

/** What is written out; `null` for whatever has to be evaluated. */
function readWritten(text: string, token: Token, problems: Problems, depth: number): Read | null {
  if (depth > MAX_DEPTH) return null;
  if (isMark(token, "[")) return readList(text, token, problems, depth + 1);
  if (isMark(token, "{")) return readObject(text, token, problems, depth + 1);
  if (token.kind === "string") return readString(token, problems);
  return token.kind === "word" ? readCall(text, token, problems, depth + 1) : null;
}

function readString(token: Token, problems: Problems): Read {
  if (token.isTemplate)
    problems.push({ message: "the value is an expression, so it can't be read here", position: token.at });
  const kind = token.isTemplate ? ("other" as const) : ("string" as const);
  return { expression: { kind, text: token.text, at: token.at }, to: token.to };
}

/** Calls that give what they are given. */
const WRAPPERS = /^(?:jsonencode|toset|tolist|distinct|sort|compact|flatten|concat|nonsensitive)$/;

function readCall(text: string, name: Token, problems: Problems, depth: number): Read | null {
  const open = nextToken(text, name.to);
  if (!open || !isMark(open, "(") || !WRAPPERS.test(name.text)) return null;
  const { items, isWhole, to } = readItems(text, open, ")", problems, depth);
  const [first] = items;
  if (name.text !== "concat" && name.text !== "flatten") {
    return items.length === 1 && isWhole && first ? { expression: first, to } : null;
  }
  const lists = items.flatMap((item) => (item.kind === "list" ? item.items : []));
  const areWhole = items.every((item) => item.kind !== "list" || item.isWhole);
  const isAll = isWhole && areWhole && items.every((item) => item.kind === "list");
  return { expression: { kind: "list", items: lists, isWhole: isAll, at: open.from }, to };
}

function readList(text: string, open: Token, problems: Problems, depth: number): Read {
  const { items, isWhole, to } = readItems(text, open, "]", problems, depth);
  const known = items.filter((item) => item.kind !== "other");
  const whole = isWhole && known.length === items.length;
  return { expression: { kind: "list", items: known, isWhole: whole, at: open.from }, to };
}

/** The items up to a bracket. Of those that are computed the first is told. */
function readItems(text: string, open: Token, close: string, problems: Problems, depth: number) {
  const items: Expression[] = [];
  let isWhole = true;
  const first = nextToken(text, open.to);
  if (first?.text === "for" && first.kind === "word") {
    problems.push({ message: "the list is an expression, so it can't be read here", position: first.from });
    return { items, isWhole: false, to: skip(text, open) };
  }
  for (let token = first; token; token = nextToken(text, token.to)) {
    if (isMark(token, close)) return { items, isWhole, to: token.to };
    if (isMark(token, ",")) continue;
    const read = readWritten(text, token, problems, depth);
    const isItem = read !== null && read.expression !== null && isSeparated(text, read.to, close);
    if (isItem && read.expression) items.push(read.expression);
    else {
      if (isWhole)
        problems.push({ message: "the item is an expression, so it can't be read here", position: token.from });
      isWhole = false;
    }
    token = {
      ...token,
      to: read ? read.to : token.kind === "mark" && "{[(".includes(token.text) ? skip(text, token) : token.to,
    };
  }
  return { items, isWhole: false, to: text.length };
}

function isSeparated(text: string, to: number, close: string): boolean {
  const next = nextToken(text, to);
  return !next || isMark(next, ",") || isMark(next, close) || text.slice(to, next.from).includes("\n");
}

function readObject(text: string, open: Token, problems: Problems, depth: number): Read {
  const fields = new Map<string, Expression>();
  let name: string | null = null;
  for (let token = nextToken(text, open.to); token; token = nextToken(text, token.to)) {
    if (isMark(token, "}")) return { expression: { kind: "object", fields, at: open.from }, to: token.to };
    if ((isMark(token, "=") || isMark(token, ":")) && name !== null) {
      const { expression, to } = readExpression(text, token.to, problems, depth);
      if (expression) fields.set(name, expression);
      token = { ...token, to };
      name = null;
    } else name = token.kind === "mark" ? null : token.text;
    if (token.kind === "mark" && "{[(".includes(token.text)) token = { ...token, to: skip(text, token) };
  }
  return { expression: { kind: "object", fields, at: open.from }, to: text.length };
}

/** Calls and references end with their line, or with the bracket that they open. */
function endOfExpression(text: string, first: Token): number {
  let to = first.to;
  for (let token: Token | null = first; token; token = nextToken(text, to)) {
    if (token !== first && text.slice(to, token.from).includes("\n")) return to;
    if (token.kind === "mark" && "}]),".includes(token.text)) return to;
    to = token.kind === "mark" && "{[(".includes(token.text) ? skip(text, token) : token.to;
  }
  return to;
}

/** Just behind the bracket that closes the one of this token. */
function skip(text: string, open: Token): number {
  let depth = 0;
  for (let token: Token | null = open; token; token = nextToken(text, token.to)) {
    if (token.kind !== "mark") continue;
    if ("{[(".includes(token.text)) depth++;
    else if ("}])".includes(token.text) && --depth === 0) return token.to;
  }
  return text.length;
}
