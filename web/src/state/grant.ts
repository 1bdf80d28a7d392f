/**
 * Cells of the matrix that grant and revoke: the map rewritten to the fewest rules that say so.
 *
 * A rule only adds. So what a wildcard grants is revoked in one repository by taking the wildcard
 * out; the other rows may keep what they had by rules of their own, and what no row names loses it.
 * Which rules grant a cell, and what a map gains or loses, the engine says.
 *
 * Left out: lines that are no rules, which stay as they are written; which map the token uses.
 */

import { attempt, type Difference, Principal, permissionFor, type RuleReport, readRules } from "../engine";
import type { Row } from "./rows";

/** A repository, or those that a row stands for, and an action. */
export type Cell = Pick<Row, "name" | "standsFor"> & { action: string };

/** A map as it could be, and what that would change. */
export interface Offer {
  /** What is granted on; null where something is revoked. */
  pattern: string | null;
  /** The actions of the map then. */
  actions: string[];
  /** What else it grants then, or grants no more: exact, whatever repositories there are. */
  differences: Difference[];
  /** The rows, beside that of the cell, in which an action changes. */
  others: Row[];
}

/**
 * The ways to grant a cell, the narrowest first: alone, and below each prefix of its name. `also`
 * are actions that come with it.
 */
export function grants(
  map: readonly string[],
  rows: readonly Row[],
  cell: Cell,
  also: readonly string[] = [],
): Offer[] {
  const permissions = [cell.action, ...also].flatMap((action) => permissionFor(action) ?? []);
  return patternsOf(cell).map((pattern) => {
    const rules = permissions.map((permission) => ruleOf(pattern, permission));
    return { pattern, ...changed(map, fewest(placed(map, pattern, rules)), rows, cell) };
  });
}

/**
 * The ways to revoke a cell: the one that leaves all else that is named what it has, where one
 * does, and the one that only takes rules out.
 */
export function revokes(map: readonly string[], rows: readonly Row[], cell: Cell): Offer[] {
  const granting = rulesThatGrant(map, cell);
  const [first = 0] = granting;
  const rest = map.filter((_, index) => !granting.includes(index));
  const kept = keptBy(map, rest, rows, cell);
  const ways = kept.length > 0 ? [rest.toSpliced(first, 0, ...kept), rest] : [rest];
  return ways.map((actions) => ({ pattern: null, ...changed(map, fewest(actions), rows, cell) }));
}

/**
 * A map without the rules that others make needless. Each of those is one that an equal or a wider
 * rule covers, since only a wildcard covers what is not named: what is left cannot be said with
 * fewer rules.
 */
export function fewest(actions: readonly string[]): string[] {
  const findings = using(actions, (principal) => principal.lint(0));
  const needless = new Set(
    findings.filter(({ kind }) => kind === "covered" || kind === "redundant").map(({ rule }) => rule),
  );
  const reports = readRules([...actions]);
  let place = -1;
  return actions.filter((_, index) => {
    if (reports[index]?.problem !== null) return true;
    place += 1;
    return !needless.has(place);
  });
}

/** The name, and what is below each of its prefixes, up to three of them. */
export function patternsOf({ name, standsFor }: Pick<Cell, "name" | "standsFor">): string[] {
  const own = standsFor ?? name;
  const parts = own.replace(/\/\*$/, "").split("/").slice(0, -1);
  const above = parts.map((_, index) => `${parts.slice(0, parts.length - index).join("/")}/*`);
  return own === "*" ? ["*"] : [own, ...above.slice(0, 3)];
}

function ruleOf(pattern: string, permission: string): string {
  return `repositories/${pattern}/${permission}`;
}

/** Rules behind the last one on the same pattern, or at the end. */
function placed(map: readonly string[], pattern: string, rules: string[]): string[] {
  const last = readRules([...map]).findLastIndex((report) => report.pattern === pattern);
  return map.toSpliced(last < 0 ? map.length : last + 1, 0, ...rules);
}

/** The places of the rules that grant a cell. */
function rulesThatGrant(map: readonly string[], { name, action }: Cell): number[] {
  const explanations = using(map, (principal) => principal.explain(`repository:${name}:${action}`));
  const rules = explanations.flatMap(({ reasons }) => reasons.flatMap((reason) => reason.rules));
  const isOne = ({ pattern, permission }: RuleReport) =>
    rules.some((rule) => rule.pattern === pattern && rule.permission === permission);
  return readRules([...map]).flatMap((report, index) => (report.problem === null && isOne(report) ? [index] : []));
}

/** What a rule of its own could keep: a name, or what is below a prefix. */
interface Keepable {
  /** A repository to ask about. */
  name: string;
  pattern: string;
}

/**
 * What a person has written, as a repository or in a rule, whether it has a row or not. Beside
 * `team/*` the engine tells `team` apart as well, which is there only because it is not covered.
 */
function written(map: readonly string[], rows: readonly Row[]): Keepable[] {
  const patterns = new Set(readRules([...map]).map(({ pattern }) => pattern));
  const classes = using(map, (principal) => principal.repositories()).filter(({ pattern }) => patterns.has(pattern));
  return [
    ...rows.filter(({ proposed }) => !proposed).map(({ name }) => ({ name, pattern: name })),
    ...classes.map(({ witness, pattern }) => ({ name: witness, pattern })),
  ];
}

/** The rules by which all else that is written keeps the action; none of them grants the cell. */
function keptBy(map: readonly string[], rest: readonly string[], rows: readonly Row[], cell: Cell): string[] {
  const permission = permissionFor(cell.action);
  if (permission === undefined) return [];
  const others = written(map, rows).filter(({ name }) => name !== cell.name);
  const [had, has] = [map, rest].map((one) => grantedIn(one, others, cell.action));
  const lost = others.filter(({ name }) => had?.has(name) && !has?.has(name));
  const rules = new Set(lost.map(({ pattern }) => ruleOf(pattern, permission)));
  return [...rules].filter((rule) => !grantedIn([rule], [cell], cell.action).has(cell.name));
}

function changed(before: readonly string[], after: string[], rows: readonly Row[], cell: Cell) {
  const differences = using(before, (old) => using(after, (principal) => principal.difference(old)));
  const granted = (map: readonly string[]) =>
    new Map(using(map, (one) => one.granted(rows.map(({ name }) => name))).map((row) => [row.name, row.actions]));
  const [had, has] = [granted(before), granted(after)];
  const isChanged = ({ name }: Row) => name !== cell.name && had.get(name)?.join() !== has.get(name)?.join();
  return { actions: after, differences, others: rows.filter(isChanged) };
}

/** Those of some repositories on which a map grants an action. */
function grantedIn(map: readonly string[], rows: readonly { name: string }[], action: string): Set<string> {
  const grants = using(map, (principal) => principal.granted(rows.map(({ name }) => name)));
  return new Set(grants.filter(({ actions }) => actions.includes(action)).map(({ name }) => name));
}

/** Asks a principal of one map, and gives it back to the engine. */
function using<T>(actions: readonly string[], ask: (principal: Principal) => T): T {
  const principal = new Principal();
  try {
    attempt(() => principal.add("", [...actions]));
    return ask(principal);
  } finally {
    principal.free();
  }
}
