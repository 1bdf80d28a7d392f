/** Assertions, checked as `scopegate test` checks them. */

import { expect, test } from "vitest";
import { type Assertion, Principal } from "../engine";
import { check } from "./assertions";

const cases: [Assertion, "holds" | "fails" | "invalid"][] = [
  [{ allow: "repository:a:pull" }, "holds"],
  [{ allow: "repository:a:pull,push" }, "fails"],
  [{ deny: "repository:a:push" }, "holds"],
  [{ deny: "repository:a:pull,push" }, "fails"],
  [{ deny: "repository:b:pull" }, "holds"],
  [{ deny: "repository:A:pull" }, "invalid"],
  [{ allow: "oops" }, "invalid"],
];

for (const [assertion, kind] of cases) {
  test(JSON.stringify(assertion), () => {
    const principal = new Principal("root");
    principal.add("map", ["repositories/a/content/read"]);
    expect(check(assertion, principal).kind).toBe(kind);
    principal.free();
  });
}
