/**
 * The places in a text that JSON.parse has accepted, and what JSON.parse does not mind: a field
 * that is there twice.
 *
 * One pass without recursion. The text is known to be JSON, so commas and colons carry no news.
 */

import { Refusal } from "./refusal";
import { MAX_DEPTH, type SourceNode } from "./source-node";

interface Open {
  node: SourceNode;
  isObject: boolean;
  /** The field whose value comes next. */
  field: string | null;
}

/** The node of the whole and of everything in it. */
export function jsonNode(text: string): SourceNode {
  const root: Open = {
    node: { from: 0, to: text.length, children: new Map() },
    isObject: false,
    field: null,
  };
  const open = [root];
  for (let token = nextToken(text, 0); token; token = nextToken(text, token.to)) {
    const parent = open[open.length - 1] ?? root;
    const first = text[token.from];
    if (first === "}" || first === "]") close(open, token.to);
    else if (first === "{" || first === "[") open.push(opened(parent, token, first === "{", open.length));
    else if (parent.isObject && parent.field === null) parent.field = JSON.parse(text.slice(token.from, token.to));
    else add(parent, { ...token, children: null });
  }
  return root.node.children?.get(0) ?? root.node;
}

function opened(parent: Open, token: Token, isObject: boolean, depth: number): Open {
  if (depth > MAX_DEPTH) throw new Refusal(`nested more than ${MAX_DEPTH} levels deep`, token.from);
  const node = { ...token, children: new Map() };
  add(parent, node);
  return { node, isObject, field: null };
}

function close(open: Open[], to: number) {
  const closed = open.pop();
  if (closed) closed.node.to = to;
}

function add(parent: Open, node: SourceNode) {
  const { children } = parent.node;
  const step = parent.isObject ? (parent.field ?? "") : (children?.size ?? 0);
  if (children?.has(step)) throw new Refusal(`duplicate field \`${step}\``, node.from);
  children?.set(step, node);
  parent.field = null;
}

interface Token {
  from: number;
  to: number;
}

/** A bracket, a string, or a word such as `true` or a number. */
function nextToken(text: string, after: number): Token | null {
  let from = after;
  while (from < text.length && " \t\r\n,:".includes(text.charAt(from))) from++;
  if (from >= text.length) return null;
  const first = text.charAt(from);
  if ("{}[]".includes(first)) return { from, to: from + 1 };
  if (first === '"') return { from, to: endOfString(text, from) };
  let to = from + 1;
  while (to < text.length && !' \t\r\n,:{}[]"'.includes(text.charAt(to))) to++;
  return { from, to };
}

/** Just behind the quote that closes the string; the end of the text when none does. */
function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === text[from]) return at + 1;
  }
  return text.length;
}
