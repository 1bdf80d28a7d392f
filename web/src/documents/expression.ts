/**
 * Expressions of ARM templates and of Bicep, and what they come to.
 *
 * Evaluated is what follows from the text alone, by the functions below. Everything else is
 * *unknown*: as a value of its own, as an item of a list, or as a hole in a text. Follows
 * <https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions>. Left
 * out: functions that ask Azure, and those that make unpredictable names.
 */

import { HOLE, UNKNOWN } from "./unknown";

export type Node =
  | { kind: "value"; value: unknown; at: number }
  | { kind: "text"; pieces: Node[]; at: number }
  | { kind: "list"; items: Node[]; at: number }
  | { kind: "object"; fields: { name: Node; value: Node }[]; at: number }
  | { kind: "loop"; item: string; index: string | null; list: Node; body: Node; at: number }
  | { kind: "name"; name: string; at: number }
  | { kind: "call"; name: string; given: Node[]; at: number }
  | { kind: "member"; of: Node; name: Node; at: number }
  | { kind: "choice"; condition: Node; yes: Node; no: Node; at: number }
  | { kind: "unknown"; at: number };

/** What names and calls mean where an expression is. */
export interface Scope {
  name(name: string): unknown;
  /** `undefined` for a function that is the same everywhere. */
  call(name: string, given: unknown[]): unknown;
}

export const NO_SCOPE: Scope = { name: () => UNKNOWN, call: () => undefined };

/**
 * Longer texts and lists are not what anybody writes, and a few lines can double them without end.
 */
const MAX_TEXT = 1 << 12;
const MAX_LIST = 1000;

export function evaluate(node: Node, scope: Scope): unknown {
  return bounded(worked(node, scope));
}

function bounded(value: unknown): unknown {
  const isTooLong =
    typeof value === "string" ? value.length > MAX_TEXT : Array.isArray(value) && value.length > MAX_LIST;
  return isTooLong ? UNKNOWN : value;
}

function worked(node: Node, scope: Scope): unknown {
  switch (node.kind) {
    case "value":
      return node.value;
    case "text":
      return node.pieces.map((piece) => textOf(evaluate(piece, scope))).join("");
    case "list":
      return node.items.map((item) => evaluate(item, scope));
    case "object":
      return Object.fromEntries(
        node.fields.map(({ name, value }) => [textOf(evaluate(name, scope)), evaluate(value, scope)]),
      );
    case "loop":
      return looped(node, scope);
    case "name":
      return scope.name(node.name);
    case "call":
      return called(node.name, node.given, scope);
    case "member":
      return memberOf(evaluate(node.of, scope), evaluate(node.name, scope));
    case "choice":
      return chosen(evaluate(node.condition, scope), node.yes, node.no, scope);
    case "unknown":
      return UNKNOWN;
  }
}

/** A value in a text. */
function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : HOLE;
}

function looped({ item, index, list, body }: Extract<Node, { kind: "loop" }>, scope: Scope): unknown {
  const items = evaluate(list, scope);
  if (!Array.isArray(items)) return [UNKNOWN];
  return items.map((value, position) => {
    const names = new Map<string, unknown>([[item, value], ...(index === null ? [] : [[index, position] as const])]);
    return value === UNKNOWN ? UNKNOWN : evaluate(body, within(names, scope));
  });
}

/** A scope with more names. */
export function within(names: ReadonlyMap<string, unknown>, scope: Scope): Scope {
  return { ...scope, name: (name) => (names.has(name) ? names.get(name) : scope.name(name)) };
}

function chosen(condition: unknown, yes: Node, no: Node, scope: Scope): unknown {
  if (condition === true) return evaluate(yes, scope);
  return condition === false ? evaluate(no, scope) : UNKNOWN;
}

/** A field of an object, or an item of a list. */
function memberOf(value: unknown, name: unknown): unknown {
  if (Array.isArray(value)) {
    const isKnown = typeof name === "number" && !value.slice(0, name + 1).includes(UNKNOWN);
    return isKnown ? (value[name] ?? UNKNOWN) : UNKNOWN;
  }
  if (typeof value !== "object" || value === null || typeof name !== "string") return UNKNOWN;
  const wanted = name.toLowerCase();
  const field = Object.entries(value).find(([key]) => key.toLowerCase() === wanted);
  return field ? field[1] : UNKNOWN;
}

function called(name: string, given: Node[], scope: Scope): unknown {
  const [first, second, third] = given;
  if (name.toLowerCase() === "if" && first && second && third) {
    return chosen(evaluate(first, scope), second, third, scope);
  }
  const values = given.map((node) => evaluate(node, scope));
  const special = scope.call(name.toLowerCase(), values);
  if (special !== undefined) return special;
  const own = FUNCTIONS.get(name.toLowerCase());
  return own ? own(...values) : UNKNOWN;
}

const FUNCTIONS: ReadonlyMap<string, (...given: unknown[]) => unknown> = new Map<
  string,
  (...given: unknown[]) => unknown
>([
  ["concat", concat],
  ["format", format],
  ["union", union],
  ["createarray", (...given) => given],
  ["array", (value) => (Array.isArray(value) || value === UNKNOWN ? value : [value])],
  ["flatten", (lists) => (Array.isArray(lists) ? concat(...lists) : UNKNOWN)],
  ["length", (value) => sizeOf(value)],
  ["empty", (value) => (sizeOf(value) === UNKNOWN ? UNKNOWN : sizeOf(value) === 0)],
  ["first", (value) => (Array.isArray(value) ? memberOf(value, 0) : UNKNOWN)],
  ["last", (value) => (Array.isArray(value) && !value.includes(UNKNOWN) ? (value.at(-1) ?? UNKNOWN) : UNKNOWN)],
  ["range", range],
  ["string", (value) => (isPlain(value) ? String(value) : UNKNOWN)],
  ["tolower", (value) => (typeof value === "string" ? value.toLowerCase() : UNKNOWN)],
  ["toupper", (value) => (typeof value === "string" ? value.toUpperCase() : UNKNOWN)],
  ["trim", (value) => (isText(value) ? value.trim() : UNKNOWN)],
  ["replace", (value, old, by) => (isText(value) && isText(old) && isText(by) ? value.replaceAll(old, by) : UNKNOWN)],
  ["split", (value, by) => (isText(value) && isText(by) ? value.split(by) : UNKNOWN)],
  ["join", (list, by) => (Array.isArray(list) && isText(by) ? list.map(textOf).join(by) : UNKNOWN)],
  ["coalesce", (...given) => given.find((value) => value !== null) ?? null],
  ["equals", (one, other) => (isPlain(one) && isPlain(other) ? isEqual(one, other) : UNKNOWN)],
  ["not", (value) => (typeof value === "boolean" ? !value : UNKNOWN)],
  ["and", (...given) => (given.includes(false) ? false : given.every((value) => value === true) ? true : UNKNOWN)],
  ["or", (...given) => (given.includes(true) ? true : given.every((value) => value === false) ? false : UNKNOWN)],
  ["true", () => true],
  ["false", () => false],
  ["null", () => null],
  ["resourceid", resourceId],
]);

function isText(value: unknown): value is string {
  return typeof value === "string" && !value.includes(HOLE);
}

function isPlain(value: unknown): boolean {
  return isText(value) || typeof value === "number" || typeof value === "boolean" || value === null;
}

/** Texts are compared without their case. */
function isEqual(one: unknown, other: unknown): boolean {
  return isText(one) && isText(other) ? one.toLowerCase() === other.toLowerCase() : one === other;
}

/** Of lists a list, of anything else a text. */
function concat(...given: unknown[]): unknown {
  if (!given.some(Array.isArray)) return given.map(textOf).join("");
  return given.flatMap((value) => (Array.isArray(value) ? value : [UNKNOWN]));
}

/** What an argument that is unknown adds is unknown too. */
function union(...given: unknown[]): unknown {
  if (given.some(Array.isArray))
    return [...new Set(given.flatMap((value) => (Array.isArray(value) ? value : [UNKNOWN])))];
  return given.every((value) => typeof value === "object" && value !== null) ? Object.assign({}, ...given) : UNKNOWN;
}

function format(pattern: unknown, ...given: unknown[]): unknown {
  if (typeof pattern !== "string" || pattern.length > MAX_TEXT) return UNKNOWN;
  return pattern.replace(/\{\{|\}\}|\{(\d{1,3})(?::[^}]*)?\}/g, (whole, index?: string) => {
    if (index === undefined) return whole.charAt(0);
    return whole.includes(":") ? HOLE : textOf(given[Number(index)]);
  });
}

function sizeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.includes(UNKNOWN) ? UNKNOWN : value.length;
  if (isText(value)) return value.length;
  return typeof value === "object" && value !== null ? Object.keys(value).length : UNKNOWN;
}

function range(from: unknown, count: unknown): unknown {
  const isKnown = typeof from === "number" && typeof count === "number" && count >= 0 && count <= MAX_LIST;
  return isKnown ? Array.from({ length: count }, (_, index) => from + index) : UNKNOWN;
}

/**
 * The names fill the type from its end; before it may be a subscription and a group, which
 * are not needed.
 */
function resourceId(...given: unknown[]): unknown {
  const index = given.findIndex((value) => typeof value === "string" && value.includes("/") && !value.startsWith("/"));
  const [provider = "", ...types] = index < 0 ? [] : textOf(given[index]).split("/");
  const names = given.slice(index + 1).map(textOf);
  if (index < 0 || types.length !== names.length) return UNKNOWN;
  const path = types.map((type, index) => `/${type}/${names[index]}`).join("");
  return `/subscriptions/${HOLE}/resourceGroups/${HOLE}/providers/${provider}${path}`;
}
