/** Where keys lead within a grid. */

import { expect, test } from "vitest";
import { clamp, moved } from "./grid-keys";

test.each([
  ["ArrowUp", false, [4, 2]],
  ["ArrowDown", false, [6, 2]],
  ["ArrowLeft", false, [5, 1]],
  ["ArrowRight", false, [5, 3]],
  ["Home", false, [5, 0]],
  ["End", false, [5, 4]],
  ["Home", true, [0, 0]],
  ["End", true, [19, 4]],
  ["PageUp", false, [-5, 2]],
  ["PageDown", false, [15, 2]],
  ["Enter", false, null],
  ["a", true, null],
])("%s, with control: %s", (key, ctrlKey, expected) => {
  const to = moved({ key, ctrlKey, metaKey: false }, { line: 5, column: 2 }, 20, 5);
  expect(to && [to.line, to.column]).toEqual(expected);
});

test("places are bounded", () => {
  expect([-1, 0, 4, 5].map((value) => clamp(value, 5))).toEqual([0, 0, 4, 4]);
  expect(clamp(3, 0)).toBe(0);
});
