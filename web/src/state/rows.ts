/**
 * The rows of the matrix: the repositories that were named, and those that the rules propose.
 */

import { createMemo, untrack } from "solid-js";
import type { Principal, RepositoryClass } from "../engine";
import type { Granted } from "./candidates";
import type { Model } from "./model";
import { createSettled } from "./settled";

export interface Row extends Granted {
  /** Whether it was not named: the rules tell it apart from all others. */
  proposed: boolean;
  /** The pattern of the rules that it represents, when it is proposed. */
  standsFor: string | null;
}

/** More would be noise: a person reads this. */
const MAX_PROPOSED = 8;
/** With this many named, proposals come only on request. */
const ENOUGH_NAMED = 8;
/** More would cost frames. */
export const MAX_NAMED = 500;

export interface RowSources {
  model: Model;
  principal: () => Principal;
  /** The repositories that a token lists. */
  listedByToken: () => string[];
  granted: (names: string[]) => Granted[];
}

export function createRows({ model, principal, listedByToken, granted }: RowSources) {
  const named = () => model.repositories.slice(0, MAX_NAMED);
  const proposed = createMemo(() => {
    // Of a token that is looked at its own repositories are of interest, and no rule tells any
    // others apart.
    if (model.whose === "token") return listed(listedByToken(), model.repositories);
    const count = model.repositories.length;
    if (count >= ENOUGH_NAMED) return [];
    const all = propose(principal());
    // Without rules all repositories are alike, and one that was named represents them.
    return count === 0 || all.length > 1 ? without(model.repositories, all).slice(0, MAX_PROPOSED) : [];
  });
  const rows = createMemo<Row[]>(() => {
    const standsFor = new Map<string, string | null>(proposed().map(({ witness, pattern }) => [witness, pattern]));
    return granted([...named(), ...standsFor.keys()]).map((grant) => ({
      ...grant,
      proposed: standsFor.has(grant.name),
      standsFor: standsFor.get(grant.name) ?? null,
    }));
  });
  // For 500 rules all that they propose costs a millisecond, and no verdict needs it.
  const settled = createSettled(principal);
  /** Null while it is not known. */
  const more = createMemo<string[] | null>(() => {
    if (model.whose === "token") return [];
    if (settled() === null) return null;
    const all = propose(untrack(principal));
    const rest = without(model.repositories, all).slice(proposed().length);
    return all.length > 1 ? rest.map(({ witness }) => witness) : [];
  });
  return { rows, more };
}

function listed(listedByToken: string[], named: string[]): { witness: string; pattern: null }[] {
  const known = new Set(named);
  return listedByToken
    .filter((name) => !known.has(name))
    .slice(0, MAX_NAMED)
    .map((witness) => ({ witness, pattern: null }));
}

function without(names: string[], classes: RepositoryClass[]): RepositoryClass[] {
  const known = new Set(names);
  return classes.filter(({ witness }) => !known.has(witness));
}

/**
 * A repository for each class that the rules tell apart, after the first of them the one that no
 * rule names.
 */
function propose(principal: Principal): RepositoryClass[] {
  const classes = principal.repositories();
  const unmatched = classes.filter(({ pattern }) => pattern === "*");
  const matched = classes.filter(({ pattern }) => pattern !== "*");
  const first = matched.slice(0, MAX_PROPOSED - unmatched.length);
  return [...first, ...unmatched, ...matched.slice(first.length)];
}
