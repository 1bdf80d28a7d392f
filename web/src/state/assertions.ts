/**
 * Assertions, checked: `allow` holds when every action of the scope is granted, `deny` when none
 * is. As `scopegate test` has it.
 */

import { type Assertion, attempt, type Principal, sentence } from "../engine";

export type Check = { kind: "holds" } | { kind: "fails"; why: string } | { kind: "invalid"; why: string };

export function check(assertion: Assertion, principal: Principal): Check {
  const scope = assertion.allow ?? assertion.deny ?? "";
  const decided = attempt(() => principal.claims(scope));
  if (decided.kind === "problem") return { kind: "invalid", why: sentence(decided.problem.message) };
  const { access, denied, invalid } = decided.value;
  const [first] = invalid;
  // A misspelt scope is granted nothing, so `deny` would hold for every one.
  if (first) return { kind: "invalid", why: sentence(first.message) };
  const against = assertion.allow !== undefined ? denied : access;
  if (against.length === 0) return { kind: "holds" };
  const [explanation] = principal.explain(scope);
  return { kind: "fails", why: (explanation?.text ?? "").trimEnd().split("\n").map(sentence).join("\n") };
}
