/** What the engine says of lists of actions, whatever was asked before. */

import { expect, test } from "vitest";
import { readRules } from "../engine";
import { createReports } from "./reports";

const LISTS = [
  [],
  ["repositories/a/content/read"],
  ["repositories/a/content/read", "no rule", "repositories/a/content/read", ""],
  ["no rule", "repositories/A/content/read", "repositories/b/*/metadata/write"],
];

test("the same as of each list alone", () => {
  const reports = createReports();
  for (const one of LISTS) {
    for (const other of LISTS) expect(reports([one, other])).toEqual([readRules(one), readRules(other)]);
  }
});

test("a text is asked for once", () => {
  const reports = createReports();
  const [before] = reports([["repositories/a/content/read", "repositories/b/content/read"]]);
  const [after] = reports([["repositories/b/content/read", "no rule"]]);
  expect(after?.[0]).toBe(before?.[1]);
});
