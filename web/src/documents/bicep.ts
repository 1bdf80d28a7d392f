/**
 * Files of Bicep: their parameters, variables, resources and modules, as expressions.
 *
 * Follows <https://learn.microsoft.com/azure/azure-resource-manager/bicep/file>. Declared types are
 * passed over, and so are statements that make no resource. What does not follow the grammar ends
 * the file there. Left out: the values of lambdas and of arithmetic.
 */

import { nextToken, type Token } from "./bicep-tokens";
import type { Node } from "./expression";
import { MAX_DEPTH } from "./source-node";
import { HOLE } from "./unknown";

export type Statement =
  | { kind: "param"; name: string; value: Node | null }
  | { kind: "var"; name: string; value: Node }
  | Resource
  | { kind: "other" };

export interface Resource {
  kind: "resource" | "module";
  name: string;
  /** With its version; of a module where it is. */
  type: string;
  isExisting: boolean;
  /** An object, or a loop of objects. */
  body: Node;
  condition: Node | null;
  inner: Resource[];
  from: number;
  to: number;
}

export interface File {
  statements: Statement[];
  to: number;
  /** Where it cannot be read any more. */
  failure: number | null;
}

const START =
  /^(?:(?:param|var|metadata|output|type|func|assert|import|using|extension|provider)\s+[\w'*{]|resource\s+\w+\s+'|module\s+\w+\s+'|targetScope\s*=|@\w)/;

/**
 * Reads the statements from `from` on, as far as they go; `null` when not even the first is one.
 */
export function readBicep(text: string, from: number): File | null {
  const reader: Reader = { text, token: nextToken(text, from), depth: 0, hasFailed: false };
  const file: File = { statements: [], to: from, failure: null };
  while (startsStatement(reader)) {
    const statement = readStatement(reader);
    const { kind, from: end } = reader.token;
    if (reader.hasFailed || (kind !== "line" && kind !== "end")) return cut(text, file, reader);
    file.statements.push(statement);
    file.to = end;
  }
  return file.statements.length > 0 ? file : null;
}

function startsStatement(reader: Reader): boolean {
  skipLines(reader);
  const { kind, from } = reader.token;
  return kind !== "end" && START.test(reader.text.slice(from, from + 400));
}

/**
 * An invalid statement ends the file before the line where it fails. A comment or a text that
 * nothing closes takes all the rest.
 */
function cut(text: string, file: File, { token }: Reader): File | null {
  const isOpen =
    token.kind === "end" && OPEN.some(([open, close]) => text.lastIndexOf(open) >= text.lastIndexOf(close));
  const end = isOpen ? text.length : Math.max(text.lastIndexOf("\n", token.from - 1), file.to);
  return end > file.to || file.statements.length > 0 ? { ...file, to: end, failure: token.from } : null;
}

const OPEN = [
  ["/*", "*/"],
  ["'''", "'''"],
] as const;

interface Reader {
  text: string;
  token: Token;
  depth: number;
  hasFailed: boolean;
}

function next(reader: Reader): Token {
  const { token } = reader;
  reader.token = nextToken(reader.text, token.to);
  return token;
}

function is(reader: Reader, text: string): boolean {
  const { kind } = reader.token;
  return (kind === "mark" || kind === "word") && reader.token.text === text;
}

function takes(reader: Reader, text: string): boolean {
  if (!is(reader, text)) return false;
  next(reader);
  return true;
}

function skipLines(reader: Reader): void {
  while (reader.token.kind === "line") next(reader);
}

function failed(reader: Reader): Node {
  reader.hasFailed = true;
  return { kind: "unknown", at: reader.token.from };
}

function readStatement(reader: Reader): Statement {
  skipDecorators(reader);
  const { text: word } = reader.token;
  if (word === "resource" || word === "module") return readResource(reader, word);
  if (word === "param" || word === "var") return readNamed(reader, word);
  skipStatement(reader);
  return { kind: "other" };
}

function skipDecorators(reader: Reader): void {
  while (is(reader, "@") && !reader.hasFailed) {
    next(reader);
    readExpression(reader);
    skipLines(reader);
  }
}

/** A type is what is between the name and the sign. */
function readNamed(reader: Reader, kind: "param" | "var"): Statement {
  next(reader);
  const name = next(reader).text;
  while (!is(reader, "=") && reader.token.kind !== "line" && reader.token.kind !== "end") skipToken(reader);
  if (takes(reader, "=")) return { kind, name, value: readExpression(reader) };
  if (kind === "var") failed(reader);
  return { kind: "param", name, value: null };
}

function readResource(reader: Reader, kind: Resource["kind"]): Resource {
  const { from } = next(reader);
  const name = next(reader).text;
  const type = next(reader);
  if (type.kind !== "text") failed(reader);
  const isExisting = takes(reader, "existing");
  if (!takes(reader, "=")) failed(reader);
  skipLines(reader);
  const condition = readCondition(reader);
  const inner: Resource[] = [];
  const body = is(reader, "[") ? readList(reader, inner) : readObject(reader, inner);
  return { kind, name, type: type.text, isExisting, body, condition, inner, from, to: reader.token.from };
}

function readCondition(reader: Reader): Node | null {
  if (!takes(reader, "if")) return null;
  return readPrimary(reader);
}

function skipStatement(reader: Reader): void {
  while (reader.token.kind !== "line" && reader.token.kind !== "end") skipToken(reader);
}

/** One token, or all up to the bracket that closes it. */
function skipToken(reader: Reader): void {
  let depth = 0;
  do {
    const { kind, text } = next(reader);
    if (kind === "mark" && "{[(".includes(text)) depth++;
    else if (kind === "mark" && "}])".includes(text)) depth--;
  } while (depth > 0 && reader.token.kind !== "end");
}

function readExpression(reader: Reader): Node {
  if (++reader.depth > MAX_DEPTH) return failed(reader);
  const first = readOperation(reader);
  const node = readChoice(reader, first);
  reader.depth--;
  return node;
}

/** The question mark and the colon may begin lines of their own. */
function readChoice(reader: Reader, condition: Node): Node {
  const before = reader.token;
  skipLines(reader);
  if (!takes(reader, "?")) {
    reader.token = before;
    return condition;
  }
  skipLines(reader);
  const yes = readExpression(reader);
  skipLines(reader);
  if (!takes(reader, ":")) return failed(reader);
  skipLines(reader);
  return { kind: "choice", condition, yes, no: readExpression(reader), at: condition.at };
}

/** The operators, those first that bind least. */
const LEVELS = ["??", "||", "&&", "== != =~ !~", "< <= > >=", "+ -", "* / %"].map((level) => level.split(" "));

/** Those that mean a function; of the others nothing is worked out. */
const FUNCTIONS: Record<string, string> = { "==": "equals", "=~": "equals", "&&": "and", "||": "or", "??": "coalesce" };

function readOperation(reader: Reader, level = 0): Node {
  const operators = LEVELS[level];
  if (!operators) return readPrimary(reader);
  let left = readOperation(reader, level + 1);
  while (reader.token.kind === "mark" && operators.includes(reader.token.text) && !reader.hasFailed) {
    const { text, from } = next(reader);
    skipLines(reader);
    left = operation(text, left, readOperation(reader, level + 1), from);
  }
  return left;
}

function operation(operator: string, left: Node, right: Node, at: number): Node {
  const name = FUNCTIONS[operator];
  if (name) return { kind: "call", name, given: [left, right], at };
  if (operator !== "!=") return { kind: "unknown", at };
  return { kind: "call", name: "not", given: [{ kind: "call", name: "equals", given: [left, right], at }], at };
}

function readPrimary(reader: Reader): Node {
  if (++reader.depth > MAX_DEPTH) return failed(reader);
  let node = readFirst(reader);
  for (let after = readNext(reader, node); after && !reader.hasFailed; after = readNext(reader, node)) node = after;
  reader.depth--;
  return node;
}

function readFirst(reader: Reader): Node {
  const { kind, text, from: at } = reader.token;
  if (kind === "text") return readText(reader);
  if (kind === "number") return { kind: "value", value: Number(next(reader).text), at };
  if (kind === "word") return readWord(reader);
  if (text === "[") return readList(reader, []);
  if (text === "{") return readObject(reader, []);
  if (text === "(") return readInBrackets(reader);
  if (text !== "!" && text !== "-") return failed(reader);
  next(reader);
  const of = readPrimary(reader);
  return text === "!" ? { kind: "call", name: "not", given: [of], at } : { kind: "unknown", at };
}

const VALUES = new Map<string, unknown>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

function readWord(reader: Reader): Node {
  const { text, from: at } = next(reader);
  if (VALUES.has(text)) return { kind: "value", value: VALUES.get(text), at };
  if (is(reader, "=>")) return readLambda(reader);
  if (is(reader, "(")) return { kind: "call", name: text, given: readArguments(reader), at };
  return { kind: "name", name: text, at };
}

function readLambda(reader: Reader): Node {
  const { from: at } = next(reader);
  readExpression(reader);
  return { kind: "unknown", at };
}

function readInBrackets(reader: Reader): Node {
  const { from: at } = next(reader);
  skipLines(reader);
  if (is(reader, ")")) next(reader);
  else {
    const node = readExpression(reader);
    skipLines(reader);
    while (takes(reader, ",")) readExpression(reader);
    if (!takes(reader, ")")) return failed(reader);
    if (!is(reader, "=>")) return node;
  }
  return is(reader, "=>") ? readLambda(reader) : { kind: "unknown", at };
}

function readArguments(reader: Reader): Node[] {
  next(reader);
  const given: Node[] = [];
  for (;;) {
    skipLines(reader);
    if (takes(reader, ")") || reader.hasFailed) return given;
    given.push(readExpression(reader));
    skipLines(reader);
    if (!is(reader, ")") && !takes(reader, ",")) failed(reader);
  }
}

function readNext(reader: Reader, of: Node): Node | null {
  const { from: at } = reader.token;
  if (takes(reader, ".") || takes(reader, ".?")) {
    const { kind, text } = next(reader);
    if (kind !== "word") return failed(reader);
    // A function of a module of functions is called like any other.
    if (is(reader, "(")) return { kind: "call", name: text, given: readArguments(reader), at };
    return { kind: "member", of, name: { kind: "value", value: text, at }, at };
  }
  if (takes(reader, "::")) return { kind: "name", name: next(reader).text, at };
  if (takes(reader, "!")) return of;
  if (!is(reader, "[")) return null;
  next(reader);
  takes(reader, "?");
  const name = readExpression(reader);
  return takes(reader, "]") ? { kind: "member", of, name, at } : failed(reader);
}

/** Items are in lines of their own, or have commas between them. */
function readList(reader: Reader, inner: Resource[]): Node {
  const { from: at } = next(reader);
  skipLines(reader);
  if (is(reader, "for")) return readLoop(reader, at, inner);
  const lists: Node[] = [];
  let items: Node[] = [];
  while (!takes(reader, "]")) {
    if (reader.hasFailed || reader.token.kind === "end") return failed(reader);
    if (takes(reader, "...")) {
      lists.push({ kind: "list", items, at }, readExpression(reader));
      items = [];
    } else items.push(readExpression(reader));
    endItem(reader, "]");
  }
  const list: Node = { kind: "list", items, at };
  return lists.length === 0 ? list : { kind: "call", name: "concat", given: [...lists, list], at };
}

function endItem(reader: Reader, close: string): void {
  const hasEnd = reader.token.kind === "line" || is(reader, ",") || is(reader, close);
  if (!hasEnd) failed(reader);
  while (reader.token.kind === "line" || is(reader, ",")) next(reader);
}

/** `[for item in list: body]`, `[for (item, index) in list: if (condition) body]`. */
function readLoop(reader: Reader, at: number, inner: Resource[]): Node {
  next(reader);
  const isPair = takes(reader, "(");
  const item = next(reader).text;
  const index = isPair && takes(reader, ",") ? next(reader).text : null;
  if (isPair && !takes(reader, ")")) return failed(reader);
  if (!takes(reader, "in")) return failed(reader);
  const list = readExpression(reader);
  if (!takes(reader, ":")) return failed(reader);
  skipLines(reader);
  const condition = readCondition(reader);
  const body = is(reader, "{") ? readObject(reader, inner) : readExpression(reader);
  skipLines(reader);
  if (!takes(reader, "]")) return failed(reader);
  // Which items there are depends on a condition.
  return condition
    ? { kind: "list", items: [{ kind: "unknown", at }], at }
    : { kind: "loop", item, index, list, body, at };
}

function readObject(reader: Reader, inner: Resource[]): Node {
  const { from: at } = reader.token;
  if (++reader.depth > MAX_DEPTH || !takes(reader, "{")) return failed(reader);
  const objects: Node[] = [];
  let fields: { name: Node; value: Node }[] = [];
  skipLines(reader);
  while (!takes(reader, "}")) {
    if (reader.hasFailed || reader.token.kind === "end") return failed(reader);
    if (takes(reader, "...")) {
      objects.push({ kind: "object", fields, at }, readExpression(reader));
      fields = [];
    } else if (isResource(reader)) inner.push(readResource(reader, "resource"));
    else if (is(reader, "@")) skipStatement(reader);
    else fields.push(readField(reader));
    endItem(reader, "}");
  }
  reader.depth--;
  const object: Node = { kind: "object", fields, at };
  return objects.length === 0 ? object : { kind: "call", name: "union", given: [...objects, object], at };
}

/**
 * A resource in a resource begins with a word and a name; a field of that name has a colon behind
 * it.
 */
function isResource({ text, token }: Reader): boolean {
  return token.text === "resource" && /^resource\s+\w+\s+'/.test(text.slice(token.from, token.from + 400));
}

function readField(reader: Reader): { name: Node; value: Node } {
  const { kind, text, from: at } = reader.token;
  const name: Node = kind === "text" ? readText(reader) : { kind: "value", value: text, at };
  if (kind === "word") next(reader);
  if ((kind !== "word" && kind !== "text") || !takes(reader, ":")) failed(reader);
  skipLines(reader);
  return { name, value: readExpression(reader) };
}

const ESCAPES: Record<string, string> = { n: "\n", r: "\r", t: "\t" };

/** A text, and in it what is evaluated. Its position is where its content begins. */
function readText(reader: Reader): Node {
  const { text, from, to } = next(reader);
  const isRaw = reader.text.startsWith("'''", from);
  const at = from + (isRaw ? 3 : 1);
  if (to - at < text.length) return failed(reader);
  if (isRaw || !text.includes("${"))
    return { kind: "value", value: isRaw ? text.replace(/^\n/, "") : unescaped(text), at };
  const pieces: Node[] = [];
  for (let done = 0; done < text.length; ) {
    const opening = /(?<!\\)\$\{/.exec(text.slice(done));
    const end = opening ? done + opening.index : text.length;
    if (end > done) pieces.push({ kind: "value", value: unescaped(text.slice(done, end)), at });
    if (!opening) break;
    const close = endOfInterpolation(text, end + 2);
    pieces.push(interpolated(reader, text.slice(end + 2, close)));
    done = close + 1;
  }
  return { kind: "text", pieces, at };
}

function endOfInterpolation(text: string, from: number): number {
  let depth = 1;
  let at = from;
  for (; at < text.length; at++) {
    if (text[at] === "{") depth++;
    else if (text[at] === "}" && --depth === 0) break;
  }
  return at;
}

function interpolated({ depth }: Reader, text: string): Node {
  const reader: Reader = { text, token: nextToken(text, 0), depth, hasFailed: false };
  const node = readExpression(reader);
  return reader.hasFailed || reader.token.kind !== "end" ? { kind: "value", value: HOLE, at: 0 } : node;
}

function unescaped(text: string): string {
  return text.replace(/\\u\{([0-9a-f]{1,6})\}|\\([^\n])/gi, (whole, code?: string, sign?: string) => {
    const point = code === undefined ? Number.NaN : Number.parseInt(code, 16);
    return sign ? (ESCAPES[sign] ?? sign) : point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
}
