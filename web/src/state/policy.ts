/**
 * What scope maps grant, and what is said of their rules: apart from any page, and from
 * what changes them.
 */

import { createMemo, onCleanup } from "solid-js";
import { unwrap } from "solid-js/store";
import { attempt, type Catalog, type Finding, Principal, type RuleReport } from "../engine";
import type { ScopeMapDraft } from "./model";
import { createReports } from "./reports";

/**
 * The most rules for which changes are offered, each with what it would change: with more that
 * takes seconds, and a registry accepts 500.
 */
export const MAX_OFFERED = 5000;

export interface Policy {
  /** What decides. */
  principal: Principal;
  /** What the engine says of each action of the map at a place: read on demand, not at each key. */
  reports(index: number): RuleReport[];
  /** What the owner of the map at a place may not have meant. */
  findings(index: number): Finding[];
}

export interface PolicySource {
  maps: Pick<ScopeMapDraft, "name" | "actions">[];
  /** Who may list repositories. */
  catalog: Catalog;
}

/** A policy for maps, made again when they change, and given back to the engine. */
export function createPolicy(source: () => PolicySource): () => Policy {
  const read = createReports();
  return createMemo<Policy>(() => {
    const { maps, catalog } = source();
    const principal = new Principal(catalog);
    onCleanup(() => principal.free());
    // A list is replaced whole when it changes, so its items need not be watched one by one.
    const lists = maps.map((map) => {
      const actions = unwrap(map.actions);
      attempt(() => principal.add(map.name, actions));
      return actions;
    });
    let reports: RuleReport[][] | undefined;
    return {
      principal,
      reports(index) {
        reports ??= read(lists);
        return reports[index] ?? [];
      },
      findings: (index) => principal.lint(index),
    };
  });
}
