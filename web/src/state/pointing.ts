/**
 * What lights up together: a rule, the cells that it grants, and the requests that need them.
 * Whichever of them is pointed at, the others show.
 *
 * Which cells a rule grants, and which rules grant a cell, the engine says.
 */

import { createMemo, createSignal } from "solid-js";
import { attempt, Principal, type RuleRef, readScopes } from "../engine";
import type { Row } from "./rows";

export type Pointed =
  | { kind: "rule"; text: string }
  | { kind: "cell"; name: string; action: string }
  /** A request, by the scopes that it needs. */
  | { kind: "request"; scopes: readonly string[] };

export type Pointing = ReturnType<typeof createPointing>;

export interface PointingSources {
  rows: () => Row[];
  /** The principal of what decides. */
  principal: () => Principal;
}

const NOTHING: ReadonlySet<string> = new Set();

export function createPointing({ rows, principal }: PointingSources) {
  const [pointed, setPointed] = createSignal<Pointed | null>(null);
  const cells = createMemo<ReadonlySet<string>>(() => {
    const at = pointed();
    if (at === null) return NOTHING;
    if (at.kind === "cell") return new Set([key(at.name, at.action)]);
    return at.kind === "rule" ? grantedBy(at.text, rows()) : neededBy(at.scopes);
  });
  const rules = createMemo<ReadonlySet<string>>(() => {
    const at = pointed();
    // All rules of one pattern and one permission are equal.
    return at === null || at.kind === "rule" ? NOTHING : rulesThatGrant(principal(), cells());
  });

  return {
    point: (at: Pointed | null) => setPointed(at),
    isCellLit: (name: string, action: string) => cells().has(key(name, action)),
    /** Of a rule by its pattern and its permission. */
    isRuleLit: (pattern: string | null, permission: string | null) => rules().has(`${pattern} ${permission}`),
    isRequestLit: (scopes: readonly string[]) =>
      pointed()?.kind !== "request" && cells().size > 0 && [...neededBy(scopes)].some((cell) => cells().has(cell)),
  };
}

/** The cells that one rule grants. */
function grantedBy(rule: string, rows: Row[]): Set<string> {
  const principal = new Principal();
  attempt(() => principal.add("", [rule]));
  const grants = principal.granted(rows.map(({ name }) => name));
  principal.free();
  return new Set(grants.flatMap(({ name, actions }) => actions.map((action) => key(name, action))));
}

function neededBy(scopes: readonly string[]): Set<string> {
  const read = attempt(() => readScopes(scopes.join(" ")).scopes);
  if (read.kind === "problem") return new Set();
  const ofRepositories = read.value.filter(({ type }) => type === "repository");
  return new Set(ofRepositories.flatMap(({ name, actions }) => actions.map((action) => key(name, action))));
}

/** The rules that grant at least one of the cells. */
function rulesThatGrant(principal: Principal, cells: ReadonlySet<string>): Set<string> {
  const scopes = [...cells].map((cell) => `repository:${cell.replace(" ", ":")}`).join(" ");
  const explained = attempt(() => principal.explain(scopes));
  const explanations = explained.kind === "value" ? explained.value : [];
  const rules = explanations.flatMap(({ reasons }) => reasons.flatMap((reason): RuleRef[] => reason.rules));
  return new Set(rules.map(({ pattern, permission }) => `${pattern} ${permission}`));
}

function key(name: string, action: string): string {
  return `${name} ${action}`;
}
