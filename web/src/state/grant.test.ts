/**
 * Cells that grant and revoke, against the engine: what a change says it does is what it does, and
 * no fewer rules say it.
 */

import { expect, test } from "vitest";
import { actions, Principal, permissionFor } from "../engine";
import { type Cell, fewest, grants, type Offer, revokes } from "./grant";
import type { Row } from "./rows";

/** A map in short, `team/* pull, app push`, as its actions. */
function map(text: string): string[] {
  return text
    .split(",")
    .map((rule) => rule.trim().split(" "))
    .flatMap(([pattern = "", action = ""]) =>
      pattern === "" ? [] : [`repositories/${pattern}/${permissionFor(action)}`],
    );
}

function short(rules: readonly string[]): string {
  const action = (permission: string) => actions().find((one) => permissionFor(one) === permission) ?? permission;
  return rules
    .map((rule) => rule.replace(/^repositories\/(.*)\/(\w+\/\w+)$/, (_, pattern, of) => `${pattern} ${action(of)}`))
    .join(", ");
}

function using<T>(rules: readonly string[], ask: (principal: Principal) => T): T {
  const principal = new Principal();
  principal.add("", [...rules]);
  const answer = ask(principal);
  principal.free();
  return answer;
}

/** The rows that the page has for a map and the repositories that a person has named. */
function rowsOf(rules: readonly string[], named: string[]): Row[] {
  return using(rules, (principal) => {
    const classes = principal.repositories().filter(({ witness }) => !named.includes(witness));
    const standsFor = new Map(classes.map(({ witness, pattern }) => [witness, pattern]));
    return principal.granted([...named, ...standsFor.keys()]).map((grant) => ({
      ...grant,
      unsure: [],
      proposed: standsFor.has(grant.name),
      standsFor: standsFor.get(grant.name) ?? null,
    }));
  });
}

/** A cell by the name of its row, or by what that stands for. */
function cellOf(rows: Row[], called: string, action: string): Cell {
  const row = rows.find(({ name, standsFor }) => name === called || standsFor === called);
  if (!row) throw new Error(`no row ${called}`);
  return { name: row.name, standsFor: row.standsFor, action };
}

const granted: [rules: string, cell: string, also: string[], offers: string[]][] = [
  ["", "app pull", [], ["app pull"]],
  ["", "team/app pull", [], ["team/app pull", "team/* pull"]],
  ["", "a/b/c/d/e pull", [], ["a/b/c/d/e pull", "a/b/c/d/* pull", "a/b/c/* pull", "a/b/* pull"]],
  ["", "* pull", [], ["* pull"]],
  // What is narrower than a new wildcard goes.
  ["team/web pull, app push", "team/app pull", [], ["team/web pull, app push, team/app pull", "app push, team/* pull"]],
  ["team/* pull", "* pull", [], ["* pull"]],
  ["team/* pull", "team/* push", [], ["team/* pull, team/* push"]],
  ["", "app push", ["pull"], ["app push, app pull"]],
  // It is placed behind the last rule on the same pattern.
  ["app pull, web pull", "app push", [], ["app pull, app push, web pull"]],
];

test.each(granted)("in %j the cell %s with %j is granted", (rules, asked, also, offers) => {
  const [called = "", action = ""] = asked.split(" ");
  const rows = rowsOf(map(rules), called.includes("*") ? [] : [called]);
  const found = grants(map(rules), rows, cellOf(rows, called, action), also);
  expect(found.map((offer) => short(offer.actions))).toEqual(offers);
});

const revoked: [rules: string, named: string[], cell: string, offers: string[]][] = [
  ["app pull", ["app"], "app pull", [""]],
  ["app pull, app push", ["app"], "app pull", ["app push"]],
  // The other repositories keep what they had.
  ["team/* pull", ["team/app", "team/web"], "team/app pull", ["team/web pull", ""]],
  // So do those below a prefix that another rule tells apart.
  ["* pull, base/* push", ["team/app"], "team/app pull", ["base/* pull, base/* push", "base/* push"]],
  // Two rules may grant one cell.
  ["team/* pull, * pull", ["team/app"], "team/app pull", [""]],
  ["team/* pull", ["team/app"], "team/* pull", ["team/app pull", ""]],
  ["team/* pull, nonsense delete", ["team/app"], "team/app pull", ["nonsense delete"]],
];

test.each(revoked)("in %j with %j the cell %s is revoked", (rules, named, asked, offers) => {
  const [called = "", action = ""] = asked.split(" ");
  const rows = rowsOf(map(rules), named);
  expect(revokes(map(rules), rows, cellOf(rows, called, action)).map((offer) => short(offer.actions))).toEqual(offers);
});

test("what is no rule stays as it is written", () => {
  const written = ["nonsense", "repositories/app/content/read", "repositories/app/content/read", "# a note"];
  expect(fewest(written)).toEqual(["nonsense", "repositories/app/content/read", "# a note"]);
});

test("what changes beside the cell is told", () => {
  const rules = map("team/* pull");
  const rows = rowsOf(rules, ["team/app", "team/web", "base"]);
  const [keeping, dropping] = revokes(rules, rows, cellOf(rows, "team/app", "pull"));
  expect(keeping?.others.map(({ name }) => name)).toEqual(["team/a"]);
  expect(dropping?.others.map(({ name }) => name)).toEqual(["team/web", "team/a"]);
  const [alone, below] = grants(rules, rows, cellOf(rows, "team/app", "push"));
  expect(alone?.others).toEqual([]);
  expect(below?.others.map(({ name }) => name)).toEqual(["team/web", "team/a"]);
  expect(below?.differences.map(({ pattern, gained }) => [pattern, gained])).toEqual([["team/*", ["push"]]]);
});

/** Numbers from a seed, the same on every machine. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const PATTERNS = ["*", "a", "b", "a/*", "b/*", "a/b", "a/b/*", "a/b/c", "a/c", "b/c/*", "b/c/d"];
const NAMES = ["a", "a/b", "a/b/c", "a/b/d", "b", "b/c/d", "c"];

function someCase(next: (below: number) => number) {
  const rules = Array.from({ length: next(8) }, () => {
    const [pattern, action] = [PATTERNS[next(PATTERNS.length)], actions()[next(actions().length)] ?? ""];
    return `repositories/${pattern}/${permissionFor(action)}`;
  });
  const rows = rowsOf(
    rules,
    NAMES.filter(() => next(2) === 0),
  );
  const row = rows[next(rows.length)];
  const action = actions()[next(actions().length)] ?? "";
  return { rules, rows, row, action };
}

/** Whether a rule could be left out without a difference. */
function isNeedless(rules: string[], index: number): boolean {
  return using(rules, (whole) => using(rules.toSpliced(index, 1), (less) => less.difference(whole).length === 0));
}

function isAllowed({ actions: rules }: Offer, { name, action }: Cell): boolean {
  return grantsOn(rules, name, action);
}

/** The repositories that rules name. */
function rulesNames(rules: readonly string[]): string[] {
  return rules.flatMap((rule) => /^repositories\/([^*]+)\/\w+\/\w+$/.exec(rule)?.[1] ?? []);
}

function grantsOn(rules: readonly string[], name: string, action: string): boolean {
  return using(rules, (principal) => principal.granted([name])[0]?.actions.includes(action) ?? false);
}

test("whatever the map, a change grants or revokes its cell, nothing else is lost or gained, and no rule is needless", () => {
  const next = numbers(22);
  const seen = { granted: 0, revoked: 0, kept: 0 };
  for (let round = 0; round < 800; round++) {
    const { rules, rows, row, action } = someCase(next);
    if (!row) continue;
    const cell: Cell = { name: row.name, standsFor: row.standsFor, action };
    const isGranted = row.actions.includes(action);
    // Not all that the rules name has a row.
    const shown = rows.filter((one) => one === row || next(3) > 0);
    const offers = isGranted ? revokes(rules, shown, cell) : grants(rules, shown, cell);
    expect(offers.length).toBeGreaterThan(0);
    for (const offer of offers) {
      const told = `${short(rules)} · ${cell.name} ${action} · ${short(offer.actions)}`;
      expect(isAllowed(offer, cell), told).toBe(!isGranted);
      expect(
        offer.actions.filter((_, index) => isNeedless(offer.actions, index)),
        told,
      ).toEqual([]);
      const others = offer.differences.flatMap(({ gained, lost }) => [isGranted ? gained : lost].flat());
      expect(others, told).toEqual([]);
      const changed = offer.differences.flatMap(({ gained, lost }) => [...gained, ...lost]);
      expect(new Set(changed), told).toEqual(new Set([action]));
    }
    const [keeping, dropping] = offers;
    if (isGranted && dropping && keeping) {
      const had = rulesNames(rules).filter((name) => name !== cell.name && grantsOn(rules, name, action));
      expect(had.filter((name) => !grantsOn(keeping.actions, name, action))).toEqual([]);
      seen.kept++;
    }
    seen[isGranted ? "revoked" : "granted"]++;
  }
  // The rounds have all of them.
  expect(Math.min(seen.granted, seen.revoked, seen.kept)).toBeGreaterThan(50);
}, 60_000);
