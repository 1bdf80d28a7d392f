/** The rows of the matrix, found and in sections. */

import { expect, test } from "vitest";
import type { Row } from "./rows";
import { found, sections } from "./sections";

function row(name: string, standsFor: string | null = null): Row {
  return { name, actions: [], unsure: [], problem: null, proposed: standsFor !== null, standsFor };
}

const names = (rows: Row[]) => rows.map(({ name }) => name);

test.each([
  ["", ["team/app", "base/a", "a"]],
  [" TEAM ", ["team/app"]],
  ["others below", ["base/a"]],
  ["not named", ["a"]],
  ["nothing", []],
])("the filter %j", (text, expected) => {
  const rows = [row("team/app"), row("base/a", "base/*"), row("a", "*")];
  expect(names(found(rows, text))).toEqual(expected);
});

test("few rows have no headings", () => {
  const rows = [row("team/app"), row("team/web")];
  expect(sections(rows)).toEqual([{ heading: null, rows }]);
});

test("many rows have a heading where several begin alike", () => {
  const many = Array.from({ length: 30 }, (_, index) => row(`team${index % 2}/app${index}`));
  const found = sections([row("nginx"), ...many, row("base/debian"), row("a", "*"), row("/bad")]);
  expect(found.map(({ heading, rows }) => [heading, rows.length])).toEqual([
    [null, 4],
    ["team0/", 15],
    ["team1/", 15],
  ]);
});

test("no row is lost", () => {
  const rows = Array.from({ length: 40 }, (_, index) => row(`${"ab".charAt(index % 2)}${index % 7}/r${index}`));
  const all = sections(rows).flatMap((section) => names(section.rows));
  expect(all.toSorted()).toEqual(names(rows).toSorted());
});
