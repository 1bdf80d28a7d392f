/**
 * For tests: a request without what differs each time, so that a simulation and a recording can be
 * compared.
 */

import type { Step } from "../../src/clients/simulate.ts";

/** The path with its digests and upload ids taken out, and the source of a mount. */
export function shape(target: string): string {
  const url = new URL(target, "http://registry");
  const path = decodeURIComponent(url.pathname)
    .replace(/sha256:[0-9a-f]{64}/, "{digest}")
    .replace(/uploads\/[\w.=-]+$/, "uploads/{upload}");
  const from = url.searchParams.get("from");
  return from === null ? path : `${path}?from=${from}`;
}

/** A simulation as the recorder would have written it. */
export function lines(steps: readonly Step[]): string[] {
  const sent = steps.filter((step) => step.outcome !== "not-reached");
  const each = sent.flatMap((step) => [
    ...(step.asked === null ? [] : [`token ${step.asked.join(" ")}`]),
    `${step.method} ${shape(step.target)} ${step.outcome === "passes" ? "passes" : "401"}`,
  ]);
  return [...new Set(each)];
}
