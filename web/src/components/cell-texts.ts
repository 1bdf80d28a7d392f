/** What a change of a cell does, in words. */

import type { Cell, Offer } from "../state/grant";

/** More names are counted. */
const MAX_NAMED = 3;

/** A pattern for people; of a row that stands for what the other rules leave of it, the rest. */
export function called(pattern: string, isRest = false): string {
  const other = isRest ? "other " : "";
  if (pattern === "*") return `all ${other}repositories`;
  return pattern.endsWith("/*") ? `all ${other}repositories below \`${pattern.slice(0, -1)}\`` : `\`${pattern}\``;
}

/** All that changes beside the cell, whatever repositories there will be. */
export function reach(cell: Cell, { pattern, differences, others }: Offer): string {
  const patterns = differences.map((difference) => difference.pattern);
  const rows = others.filter(({ standsFor }) => !isClass(standsFor)).map(({ name }) => name);
  // A rule may name what has no row.
  const named = [...new Set([...rows, ...patterns.filter((one) => !isClass(one) && one !== cell.name)])];
  const changed = patterns.filter(isClass);
  const classes = changed.filter((one) => one !== cell.standsFor && !changed.some((other) => isBelow(one, other)));
  const pieces = [...counted(named.map((name) => `\`${name}\``)), ...counted(classes.map(newOnes))];
  const does = pattern === null ? "revokes" : "grants";
  return pieces.length === 0 ? "Nothing else changes." : `Also ${does} it on ${listed(pieces)}.`;
}

function counted(names: string[]): string[] {
  const more = names.length - MAX_NAMED;
  return more > 0 ? [...names.slice(0, MAX_NAMED), `${more.toLocaleString("en")} more`] : names;
}

/** How many rules the map has then, where that is another number. */
export function restated(before: readonly string[], after: readonly string[]): string {
  const count = (rules: number) => (rules === 1 ? "1 rule" : `${rules.toLocaleString("en")} rules`);
  return after.length === before.length ? "" : `The map has ${count(after.length)} then.`;
}

function isClass(pattern: string | null): boolean {
  return pattern === "*" || (pattern?.endsWith("/*") ?? false);
}

/** Whether all that a class has is below the prefix of another one. */
function isBelow(one: string, other: string): boolean {
  return one !== other && (other === "*" || one.startsWith(other.slice(0, -1)));
}

function newOnes(pattern: string): string {
  return pattern === "*" ? "any new repository" : `any new repository below \`${pattern.slice(0, -1)}\``;
}

function listed(pieces: string[]): string {
  const last = pieces.at(-1) ?? "";
  return pieces.length < 2 ? last : `${pieces.slice(0, -1).join(", ")} and ${last}`;
}
