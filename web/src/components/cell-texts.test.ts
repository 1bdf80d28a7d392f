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
  [null, ["team/web"], ["team/app", "team/web"], "Also revokes it on `team/web`."],
  [
    null,
    ["team/web"],
    ["team/app", "team/web", "team/*"],
    "Also revokes it on `team/web` and any new repository below `team/`.",
  ],
  [null, ["a", "b", "c", "d", "e"], ["*"], "Also revokes it on `a`, `b`, `c`, 2 more and any new repository."],
  // So is what a rule names and no row shows.
  [null, ["team/web"], ["team/app", "team/web", "base"], "Also revokes it on `team/web` and `base`."],
  // The cell's own class is no other.
  ["team/*", [], ["team/*"], "Nothing else changes."],
  // What is below another one is said with it.
  [null, [], ["team/*", "team/app/*"], "Also revokes it on any new repository below `team/`."],
  ["team/*", [], ["team/*", "team/app/*"], "Nothing else changes."],
  [
    null,
    [],
    ["a/*", "b/*", "c/*", "d/*"],
    "Also revokes it on any new repository below `a/`, any new repository below `b/`, any new repository below `c/` and 1 more.",
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
  ["*", false, "all repositories"],
  ["*", true, "all other repositories"],
  ["team/*", false, "all repositories below `team/`"],
  ["team/*", true, "all other repositories below `team/`"],
  ["team/app", true, "`team/app`"],
])("%j, where it is the rest: %j", (pattern, isRest, text) => {
  expect(called(pattern, isRest)).toBe(text);
});

test("an offer says in which direction others change", () => {
  const offer = { pattern: "team/*", actions: [], differences: [difference("team/*")], others: [] };
  expect(reach({ name: "team/app", standsFor: null, action: "pull" }, offer)).toBe(
    "Also grants it on any new repository below `team/`.",
  );
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
