/** What a simulation comes to: where it is refused, and why, in one sentence. */

import type { Simulation, Step } from "../clients";
import { permissionFor, readScopes } from "../engine";

/** The first request that is refused, whether the client ends there or not; -1 for none. */
export function refusedStep(steps: readonly Step[]): number {
  return steps.findIndex(({ outcome }) => outcome === "fails" || outcome === "falls-back");
}

/**
 * How many requests pass before the first that is refused. A challenge that the refused request
 * answers belongs to it.
 */
export function passedBefore(steps: readonly Step[]): number {
  const at = refusedStep(steps);
  const [before, refused] = [steps[at - 1], steps[at]];
  const isRetry = before?.outcome === "challenged" && before.target === refused?.target && before.asked !== null;
  return Math.max(0, isRetry ? at - 1 : at);
}

export function summaryOf({ steps }: Simulation): string {
  const step = steps[refusedStep(steps)];
  if (!step) return steps.length === 1 ? "The request is OK." : `All ${steps.length} requests are OK.`;
  const purpose = `${step.purpose.charAt(0).toLowerCase()}${step.purpose.slice(1)}`;
  const request = `\`${step.method} ${step.target}\` (${purpose})`;
  if (step.missing.length === 0) return `Fails: ${request}. ${step.note ?? ""}`;
  const why = `Refused: ${request} needs ${coded(step.required)}, and the token lacks ${lacks(step.missing)}.`;
  return step.outcome === "fails" ? why : `${why} The client continues without it.`;
}

/** The permissions that are missing, as a scope map names them. */
function lacks(missing: string[]): string {
  const entries = readScopes(missing.join(" ")).scopes;
  const named = entries.map(({ type, name, actions }) => {
    const permissions = actions.map((action) => (type === "repository" ? permissionFor(action) : undefined));
    const known = permissions.filter((permission) => permission !== undefined);
    return known.length < actions.length || known.length === 0
      ? coded([`${type}:${name}:${actions.join(",")}`])
      : `${coded(known)} on \`${name}\``;
  });
  return named.join(" and ");
}

function coded(texts: readonly string[]): string {
  return [...new Set(texts)].map((text) => `\`${text}\``).join(" and ");
}
