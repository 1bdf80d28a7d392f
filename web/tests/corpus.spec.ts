/**
 * The corpus in a browser: every decision, every route and every pattern through the package as a
 * page loads it from a server.
 *
 * The package says in words what is wrong with a scope, and the corpus by a code. So each code must
 * go with one message, and each message with one code. A pattern crosses the boundary in a rule.
 * What an edge does with a request is not in the package.
 */

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { test as base, expect } from "@playwright/test";

import { serve } from "../../tests/web/static-server.mjs";

const PACKAGE = fileURLToPath(new URL("../../target/bindgen/package", import.meta.url));
const CASES = new URL("../../tests/cases/", import.meta.url);

interface Invalid {
  scope: string;
  error: string;
  position: number;
}

interface Decision {
  name: string;
  map: string[];
  catalog: string;
  scope: string[];
  access: string[];
  denied: string[];
  invalid: Invalid[];
}

interface Request {
  name: string;
  method: string;
  target: string;
  profile: string;
  untag: string;
  /** The canonical path and its scopes, or the code of the refusal. */
  expected: string;
}

function files<T>(kind: string): [string, T][] {
  const folder = new URL(`${kind}/`, CASES);
  return readdirSync(folder).map((name) => [
    `${kind}/${name}`,
    JSON.parse(readFileSync(new URL(name, folder), "utf8")),
  ]);
}

function decisions(): Decision[] {
  type Case = Pick<Decision, "scope" | "access"> & Partial<Pick<Decision, "denied" | "invalid">>;
  type File = { groups: { map: string[]; catalog?: string; cases: Case[] }[] };
  return files<File>("decide").flatMap(([file, { groups }]) =>
    groups.flatMap(({ map, catalog = "root", cases }, group) =>
      cases.map(({ scope, access, denied = [], invalid = [] }, index) => {
        return { name: `${file} ${group}.${index}`, map, catalog, scope, access, denied, invalid };
      }),
    ),
  );
}

function requests(): Request[] {
  type Case = {
    method: string;
    target: string;
    profile?: string;
    untag?: string;
    scopes?: string[];
    path?: string;
    refused?: string;
  };
  return files<{ cases: Case[] }>("route").flatMap(([file, { cases }]) =>
    cases.map(({ method, target, profile = "acr", untag = "delete", scopes = [], path = "", refused }, index) => {
      const expected = refused === undefined ? [path, ...scopes].join("\n") : `refused ${refused}`;
      return { name: `${file} ${index}`, method, target, profile, untag, expected };
    }),
  );
}

const test = base.extend<{ started: undefined }>({
  started: async ({ page }, use) => {
    const site = await serve(PACKAGE);
    const html = "<!doctype html><title>a page of somebody else</title>";
    await page.route(`${site.url}page.html`, (route) => route.fulfill({ contentType: "text/html", body: html }));
    await page.goto(`${site.url}page.html`);
    await page.evaluate(async () => {
      const engine = await import(`${location.origin}/scopegate.js`);
      await engine.default({ module_or_path: "scopegate_bg.wasm" });
      Object.assign(window, { engine });
    });
    await use(undefined);
    await site.close();
  },
});

test("decisions", async ({ page, started: _ }) => {
  const cases = decisions();
  expect(cases.length).toBeGreaterThan(800);
  const answers = await page.evaluate((all) => {
    const { Principal } = (window as unknown as { engine: typeof import("scopegate") }).engine;
    const written = (entry: { type: string; name: string; actions: string[] }) =>
      `${entry.type}:${entry.name}:${entry.actions.join(",")}`;
    return all.map(({ map, catalog, scope }) => {
      const principal = new Principal(catalog as "root");
      principal.add("", map);
      const { access, denied, invalid } = principal.claims(scope.join(" "));
      principal.free();
      return { access: access.map(written), denied: denied.map(written), invalid };
    });
  }, cases);
  const messages = new Map<string, Set<string>>();
  for (const [index, expected] of cases.entries()) {
    const { access, denied, invalid } = answers[index] ?? { access: [], denied: [], invalid: [] };
    const places = (list: { scope: string; position: number }[]) =>
      list.map(({ scope, position }) => `${position} ${scope}`);
    expect({ access, denied, invalid: places(invalid) }, expected.name).toEqual({
      access: expected.access,
      denied: expected.denied,
      invalid: places(expected.invalid.map((piece) => ({ ...piece, position: inString(piece) }))),
    });
    for (const [index, { error }] of expected.invalid.entries()) {
      messages.set(error, (messages.get(error) ?? new Set()).add(invalid[index]?.message ?? ""));
    }
  }
  for (const [code, said] of messages) expect([...said], code).toHaveLength(1);
  expect(new Set([...messages.values()].flatMap((said) => [...said])).size).toBe(messages.size);
});

/** The corpus counts bytes, and JavaScript the units of its strings. */
function inString({ scope, position }: Invalid): number {
  return Buffer.from(scope).subarray(0, position).toString().length;
}

test("routes", async ({ page, started: _ }) => {
  const cases = requests();
  expect(cases.length + decisions().length).toBeGreaterThan(1200);
  const answers = await page.evaluate((all) => {
    const { route } = (window as unknown as { engine: typeof import("scopegate") }).engine;
    return all.map(({ method, target, profile, untag }) => {
      try {
        const { path, scopes } = route(method, target, profile as "acr", untag as "delete");
        return [path, ...scopes].join("\n");
      } catch (problem) {
        return `refused ${(problem as { code: string }).code}`;
      }
    });
  }, cases);
  for (const [index, { name, expected }] of cases.entries()) expect(answers[index], name).toBe(expected);
});

test("patterns", async ({ page, started: _ }) => {
  type Case = { pattern: string; kind?: string; error?: string; position?: number };
  const all = files<{ cases: Case[] }>("pattern").flatMap(([, { cases }]) => cases);
  // A rule is read in lower case, as `az` sends it, so it tells nothing of a pattern with other
  // letters.
  const cases = all.filter(({ pattern }) => pattern === pattern.toLowerCase());
  expect(cases.length).toBeGreaterThanOrEqual(80);
  const answers = await page.evaluate((all) => {
    const { readRules } = (window as unknown as { engine: typeof import("scopegate") }).engine;
    return all.map(({ pattern }) => {
      const [report] = readRules([`repositories/${pattern}/content/read`]);
      const { problem = null, pattern: covered = null } = report ?? {};
      return problem ? { error: problem.code, position: problem.position } : { covered };
    });
  }, cases);
  const before = "repositories/".length;
  for (const [index, { pattern, error, position = 0 }] of cases.entries()) {
    const refused = { error, position: before + inString({ scope: pattern, error: error ?? "", position }) };
    expect(answers[index], pattern).toEqual(error === undefined ? { covered: pattern } : refused);
  }
});
