/**
 * The rows of the matrix: the repositories that were named, and those that the rules propose.
 */

import { createMemo } from "solid-js";
import type { Principal, RepositoryClass, RepositoryGrant } from "../engine";
import type { Model } from "./model";

export interface Row extends RepositoryGrant {
  /** Whether nobody named it: the rules tell it apart from all others. */
  proposed: boolean;
  /** What of the rules it stands for, when it is proposed. */
  standsFor: string | null;
}

export interface Rows {
  rows: Row[];
  /** How many repositories were named. */
  named: number;
  /** What the rules propose beside those that are shown. */
  more: string[];
}

/** More would be noise: a person reads this. */
const MOST_PROPOSED = 8;
/** Who names so many knows what to look at, and asks for proposals. */
const ENOUGH_NAMED = 8;
/** More would cost frames. */
export const MOST_NAMED = 500;

export function createRows(model: Model, principal: () => Principal, granted: (names: string[]) => RepositoryGrant[]) {
  const proposals = createMemo(() => propose(principal()));
  return createMemo<Rows>(() => {
    const named = model.repositories.slice(0, MOST_NAMED);
    const known = new Set(model.repositories);
    const all = proposals().filter(({ witness }) => !known.has(witness));
    // Without rules all repositories are alike, and one that was named stands for them.
    const isWorthShowing = named.length === 0 || (named.length < ENOUGH_NAMED && proposals().length > 1);
    const shown = isWorthShowing ? all.slice(0, MOST_PROPOSED) : [];
    const standsFor = new Map(shown.map(({ witness, pattern }) => [witness, pattern]));
    const grants = granted([...named, ...standsFor.keys()]);
    return {
      rows: grants.map((grant) => ({
        ...grant,
        proposed: standsFor.has(grant.name),
        standsFor: standsFor.get(grant.name) ?? null,
      })),
      named: model.repositories.length,
      more: proposals().length > 1 ? all.slice(shown.length).map(({ witness }) => witness) : [],
    };
  });
}

/** A repository for each class that the rules tell apart, after the first of them the one that no rule names. */
function propose(principal: Principal): RepositoryClass[] {
  const classes = principal.repositories();
  const unmatched = classes.filter(({ pattern }) => pattern === "*");
  const matched = classes.filter(({ pattern }) => pattern !== "*");
  const first = matched.slice(0, MOST_PROPOSED - unmatched.length);
  return [...first, ...unmatched, ...matched.slice(first.length)];
}
