/**
 * A block of Terraform's language: its labels, and those attributes that are written out.
 *
 * Strings, lists of strings and words are read; comments, heredocs, nested blocks and calls are passed over.
 * Follows <https://developer.hashicorp.com/terraform/language/syntax/configuration>. Nothing is evaluated: a string with `${…}` in
 * it, or a list that is computed, is a problem with its position.
 */

import { nextToken, type Token } from "./terraform-tokens";

export interface Block {
  labels: string[];
  attributes: Map<string, Expression>;
  to: number;
  problems: { message: string; position: number }[];
}

export type Expression =
  | { kind: "string"; text: string; at: number }
  | { kind: "list"; items: { text: string; at: number }[]; at: number }
  | { kind: "other"; text: string; at: number };

/** Reads the block whose first word stands at `from`; `null` when no block stands there. */
export function readBlock(text: string, from: number): Block | null {
  const block: Block = { labels: [], attributes: new Map(), to: from, problems: [] };
  let token = nextToken(text, from);
  if (token?.kind !== "word") return null;
  for (token = nextToken(text, token.to); token?.kind === "string"; token = nextToken(text, token.to)) {
    block.labels.push(token.text);
  }
  if (token?.text !== "{") return null;
  block.to = readBody(text, token.to, block);
  return block;
}

function readBody(text: string, from: number, block: Block): number {
  let name: string | null = null;
  for (let token = nextToken(text, from); token; token = nextToken(text, token.to)) {
    if (token.text === "}" && token.kind === "mark") return token.to;
    if (token.text === "{" && token.kind === "mark") token = { ...token, to: skip(text, token) };
    else if (token.text === "=" && token.kind === "mark" && name !== null) {
      const { expression, to } = readExpression(text, token.to, block);
      if (expression) block.attributes.set(name, expression);
      token = { ...token, to };
    }
    name = token.kind === "word" ? token.text : null;
  }
  block.problems.push({ message: "a block that is not closed", position: text.length });
  return text.length;
}

function readExpression(text: string, from: number, block: Block): { expression: Expression | null; to: number } {
  const token = nextToken(text, from);
  if (!token) return { expression: null, to: text.length };
  if (token.text === "[" && token.kind === "mark") return readList(text, token, block);
  if (token.kind === "string") {
    note(token, block);
    return {
      expression: token.isTemplate ? null : { kind: "string", text: token.text, at: token.at },
      to: token.to,
    };
  }
  const to = endOfExpression(text, token);
  return {
    expression: { kind: "other", text: text.slice(token.from, to).trim(), at: token.from },
    to,
  };
}

function readList(text: string, open: Token, block: Block): { expression: Expression; to: number } {
  const items: { text: string; at: number }[] = [];
  let isKnown = true;
  for (let token = nextToken(text, open.to); token; token = nextToken(text, token.to)) {
    if (token.text === "]" && token.kind === "mark") {
      return { expression: { kind: "list", items, at: open.from }, to: token.to };
    }
    if (token.kind === "string") note(token, block);
    if (token.kind === "string" && !token.isTemplate) items.push({ text: token.text, at: token.at });
    if (token.kind !== "string" && token.text !== "," && isKnown) {
      block.problems.push({ message: "an item that is not written out", position: token.from });
      isKnown = false;
    }
    if (token.text === "[" && token.kind === "mark") token = { ...token, to: skip(text, token) };
  }
  return { expression: { kind: "list", items, at: open.from }, to: text.length };
}

function note(token: Token, block: Block) {
  if (token.isTemplate)
    block.problems.push({
      message: "a string with something to evaluate in it",
      position: token.at,
    });
}

/** Calls and references end with their line, or with the bracket that they open. */
function endOfExpression(text: string, first: Token): number {
  let to = first.to;
  for (let token: Token | null = first; token; token = nextToken(text, to)) {
    if (token !== first && text.slice(to, token.from).includes("\n")) return to;
    if (token.kind === "mark" && "}])".includes(token.text)) return to;
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
