/**
 * The table that `az acr token list -o table` and its like print: a line of headers, a line of
 * dashes, and a row for each token.
 *
 * Left out: tables of anything else, which say nothing that is asked here.
 */

import { endOfLine } from "../documents/extent";
import type { FoundToken, Part } from "./found";
import { lineAt, type Reading } from "./reading";

/** A registry has fewer tokens. */
const MAX_ROWS = 1000;
const MAX_COLUMNS = 20;

export function readTable(text: string, at: number): Reading | null {
  const head = lineAt(text, at);
  if (!/^NAME\s.*SCOPE MAP\s.*STATUS/i.test(head.slice(0, 1000))) return null;
  const start = text.lastIndexOf("\n", at - 1) + 1;
  const dashes = endOfLine(text, at) + 1;
  const columns = [...lineAt(text, dashes).matchAll(/-+/g)].map(
    ({ index, 0: { length } }) => [index, index + length] as const,
  );
  if (columns.length < 3 || columns.length > MAX_COLUMNS) return null;
  const cells = (line: string) => columns.map(([from, to]) => line.slice(from, to).trim());
  const names = cells(text.slice(start, endOfLine(text, at))).map((name) => name.toUpperCase());
  const parts: Part[] = [];
  let to = endOfLine(text, dashes);
  for (let row = to + 1; row < text.length && parts.length < MAX_ROWS; row = to + 1) {
    const line = text.slice(row, endOfLine(text, row)).trimEnd();
    if (!isRow(line, columns)) break;
    to = row + line.length;
    const fields = new Map(cells(line).map((cell, index) => [names[index] ?? "", cell]));
    parts.push({ from: row + line.search(/\S/), to, found: tokenIn(fields) });
    to = endOfLine(text, row);
  }
  return { parts, to };
}

/**
 * The dashes are as wide as the widest cell, so nothing is between the columns or behind them.
 */
function isRow(line: string, columns: (readonly [number, number])[]): boolean {
  const [first] = columns;
  const between = columns.map(([, to], index) => line.slice(to, columns[index + 1]?.[0]));
  return first !== undefined && line.slice(...first).trim() !== "" && between.every((gap) => gap.trim() === "");
}

function tokenIn(fields: ReadonlyMap<string, string>): FoundToken {
  const status = fields.get("STATUS")?.toLowerCase();
  const passwords = ["password1", "password2"].flatMap((name) => {
    const expiry = fields.get(`${name.toUpperCase()} EXPIRY`) ?? "";
    return expiry === "" ? [] : [{ name, created: null, expiry: /^never$/i.test(expiry) ? null : expiry }];
  });
  return {
    kind: "token",
    name: fields.get("NAME") ?? null,
    scopeMap: fields.get("SCOPE MAP") || null,
    status: status === "enabled" || status === "disabled" ? status : "unknown",
    registry: null,
    passwords: [...fields.keys()].some((name) => name.endsWith("EXPIRY")) ? passwords : null,
  };
}
