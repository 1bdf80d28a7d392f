/**
 * The rows of the matrix in sections: those that a filter finds, by the first part of their names.
 *
 * Left out: few rows, which are read at a glance and stay as they are.
 */

import type { Row } from "./rows";

/** Rows that begin alike; those without a heading begin as no other does. */
export interface Section {
  heading: string | null;
  rows: Row[];
}

/** From this number of rows on they have headings. */
const GROUPED_FROM = 25;

/** The rows whose name, or what they stand for, holds a text. */
export function found(rows: Row[], text: string): Row[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return rows;
  return rows.filter((row) => `${row.name} ${classOf(row) ?? ""}`.toLowerCase().includes(wanted));
}

export function sections(rows: Row[]): Section[] {
  if (rows.length < GROUPED_FROM) return [{ heading: null, rows }];
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const first = firstOf(row.name);
    groups.set(first, [...(groups.get(first) ?? []), row]);
  }
  const isHeading = ([first, of]: [string, Row[]]) => first !== "" && of.length > 1;
  const alone = [...groups].filter((group) => !isHeading(group)).flatMap(([, of]) => of);
  const headed = [...groups].filter(isHeading).map(([heading, of]) => ({ heading, rows: of }));
  return alone.length > 0 ? [{ heading: null, rows: alone }, ...headed] : headed;
}

/** The first part of a name with its slash, or nothing where it has no other. */
function firstOf(name: string): string {
  return name.slice(0, name.indexOf("/") + 1);
}

/** What a row is of that no person has named: all repositories that the rules do not tell apart. */
export function classOf({ standsFor }: Row): string | null {
  if (standsFor === "*") return "Other repositories not named by a rule";
  return standsFor?.endsWith("/*") ? `Others below ${standsFor.slice(0, -1)}` : null;
}
