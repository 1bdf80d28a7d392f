/** What a change of a cell does, in words. */

import { expect, test } from "vitest";
import type { Difference } from "../engine";
import type { Row } from "../state/rows";
import { called, reach, restated } from "./cell-texts";

function row(name: string, standsFor: string | null = null): Row {
  return { name, actions: [], unsure: [], problem: null, proposed: standsFor !== null, standsFor };
}

function difference(pattern: string): Difference {
  return { pattern, witness: "", gained: ["pull"], lost: [] };
}

const reaches: [standsFor: string | null, others: string[], differences: string[], text: string][] = [
  [null, [], ["team/app"], "Nothing else changes."],
  [null, ["team/web"], ["team/app", "team/web"], "Also changes `team/web`."],
  [
    null,
    ["team/web"],
    ["team/app", "team/web", "team/*"],
    "Also changes `team/web` and any new repository below `team/`.",
  ],
  [null, ["a", "b", "c", "d", "e"], ["*"], "Also changes `a`, `b`, `c`, 2 more here and any new repository."],
  // The cell's own class is no other.
  ["team/*", [], ["team/*"], "Nothing else changes."],
  // What is below another one is said with it.
  [null, [], ["team/*", "team/app/*"], "Also changes any new repository below `team/`."],
  ["team/*", [], ["team/*", "team/app/*"], "Nothing else changes."],
  [
    null,
    [],
    ["a/*", "b/*", "c/*", "d/*"],
    "Also changes any new repository below `a/`, any new repository below `b/`, any new repository below `c/` and others.",
  ],
];

test.each(reaches)("standing for %j, with %j and %j changes", (standsFor, others, patterns, text) => {
  const cell = { name: "team/app", standsFor, action: "pull" };
  const offer = {
    pattern: null,
    actions: [],
    differences: patterns.map(difference),
    others: others.map((name) => row(name)),
  };
  expect(reach(cell, offer)).toBe(text);
});

test.each([
  ["*", null, "all repositories"],
  ["*", "*", "all other repositories"],
  ["team/*", null, "all repositories below `team/`"],
  ["team/*", "team/*", "all other repositories below `team/`"],
  ["team/app", "team/app", "`team/app`"],
])("%j of a cell that stands for %j", (pattern, standsFor, text) => {
  expect(called(pattern, { standsFor })).toBe(text);
});

test.each([
  [1, 1, ""],
  [3, 1, "The map has 1 rule then."],
  [0, 1, "The map has 1 rule then."],
  [999, 1200, "The map has 1,200 rules then."],
])("%d rules become %d", (before, after, text) => {
  const rules = (count: number) => Array.from({ length: count }, (_, index) => `rule ${index}`);
  expect(restated(rules(before), rules(after))).toBe(text);
});
