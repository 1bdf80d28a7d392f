/**
 * The rows of the matrix: the repositories that were named, and those that the rules propose.
 */

import { createMemo } from "solid-js";
import type { Principal, RepositoryGrant } from "../engine";
import type { Model } from "./model";

export interface Row extends RepositoryGrant {
  /** Whether nobody named it: the rules tell it apart from all others. */
  proposed: boolean;
  /** What of the rules it stands for, when it is proposed. */
  standsFor: string | null;
}

/** More would be noise: a person reads this. */
const MOST_PROPOSED = 8;
const MOST_ROWS = 500;
/** Who names so many knows what to look at. */
const ENOUGH_NAMED = 3;

export function createRows(model: Model, principal: () => Principal, granted: (names: string[]) => RepositoryGrant[]) {
  return createMemo<Row[]>(() => {
    const named = model.repositories.slice(0, MOST_ROWS);
    const proposals = named.length < ENOUGH_NAMED ? propose(principal(), named) : new Map<string, string>();
    const names = [...named, ...proposals.keys()];
    return granted(names).map((grant) => ({
      ...grant,
      proposed: proposals.has(grant.name),
      standsFor: proposals.get(grant.name) ?? null,
    }));
  });
}

/** A repository for each class that the rules tell apart: witness to pattern. */
function propose(principal: Principal, named: string[]): Map<string, string> {
  const classes = principal.repositories().filter(({ witness }) => !named.includes(witness));
  const unmatched = classes.filter(({ pattern }) => pattern === "*");
  const matched = classes.filter(({ pattern }) => pattern !== "*").slice(0, MOST_PROPOSED);
  return new Map([...matched, ...unmatched].map(({ witness, pattern }) => [witness, pattern]));
}
