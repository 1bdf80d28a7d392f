/** What a change of a cell does, in words. */

import type { Cell, Offer } from "../state/grant";
import type { Row } from "../state/rows";

/** More names are counted. */
const MAX_NAMED = 3;

/** A pattern for people. What a row stands for is what the other rules leave of it. */
export function called(pattern: string, { standsFor }: Pick<Cell, "standsFor">): string {
  const other = pattern === standsFor ? "other " : "";
  if (pattern === "*") return `all ${other}repositories`;
  return pattern.endsWith("/*") ? `all ${other}repositories below \`${pattern.slice(0, -1)}\`` : `\`${pattern}\``;
}

/** All that changes beside the cell, whatever repositories there will be. */
export function reach(cell: Cell, { differences, others }: Offer): string {
  const named = others.filter(({ standsFor }) => !isClass(standsFor)).map(nameOf);
  const shown = named.slice(0, MAX_NAMED);
  const more = named.length - shown.length;
  const changed = differences.map(({ pattern }) => pattern).filter(isClass);
  const classes = changed.filter((one) => one !== cell.standsFor && !changed.some((other) => isBelow(one, other)));
  const pieces = [
    ...shown,
    ...(more > 0 ? [`${more.toLocaleString("en")} more here`] : []),
    ...classes.slice(0, MAX_NAMED).map(newOnes),
    ...(classes.length > MAX_NAMED ? ["others"] : []),
  ];
  return pieces.length === 0 ? "Nothing else changes." : `Also changes ${listed(pieces)}.`;
}

/** How many rules say it then, where that is not one more or one less. */
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

function nameOf({ name }: Row): string {
  return `\`${name}\``;
}

function newOnes(pattern: string): string {
  return pattern === "*" ? "any new repository" : `any new repository below \`${pattern.slice(0, -1)}\``;
}

function listed(pieces: string[]): string {
  const last = pieces.at(-1) ?? "";
  return pieces.length < 2 ? last : `${pieces.slice(0, -1).join(", ")} and ${last}`;
}
