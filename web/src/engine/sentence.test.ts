/** Messages as sentences. */

import { expect, test } from "vitest";
import { problemText } from "./sentence";

test.each([
  ["extra slash", "remove it", "Extra slash. Remove it."],
  ["which one does the token use?", null, "Which one does the token use?"],
  ["loading the YAML reader…", undefined, "Loading the YAML reader…"],
  ["`a` is not a scope", "", "`a` is not a scope."],
])("%s", (message, hint, expected) => {
  expect(problemText(hint === undefined ? { message } : { message, hint })).toBe(expected);
});
