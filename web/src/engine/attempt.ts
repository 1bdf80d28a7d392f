/**
 * What the engine refuses, as a value: it throws a `Problem`, and components want a union.
 */

import type { Problem } from "scopegate";

export type Outcome<T> = { kind: "value"; value: T } | { kind: "problem"; problem: Problem };

/** Runs `call`, and gives what it gave or what it threw. */
export function attempt<T>(call: () => T): Outcome<T> {
  try {
    return { kind: "value", value: call() };
  } catch (thrown) {
    return { kind: "problem", problem: asProblem(thrown) };
  }
}

function asProblem(thrown: unknown): Problem {
  if (isProblem(thrown)) return thrown;
  // A trap of the engine: a defect of ours, said as one, and the page stays alive.
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return {
    code: "defect",
    message: `the engine failed: ${message}`,
    hint: "this is a bug in Scopegate: reload the page, and report what you pasted",
    position: 0,
  };
}

function isProblem(thrown: unknown): thrown is Problem {
  return typeof thrown === "object" && thrown !== null && "message" in thrown && "hint" in thrown;
}
