/**
 * The cases of people who do this job: each text is pasted as its owner pastes it, and the page's
 * answer is compared with the right one.
 *
 * `tests/cases/playground` holds the texts and says what the fields mean. Left out are the kinds
 * that ask something else of the page: what a share link keeps, and what a token holds.
 */

import { readFileSync } from "node:fs";
import { createRoot } from "solid-js";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { readScopes } from "../engine";
import { type Answer, scopesAsked } from "./answer";
import { cardOf } from "./card";
import { hostAsked } from "./model";
import { createPaste, type Paste } from "./paste";
import { createPlayground, type Playground } from "./playground";
import { labelOf } from "./registry";

interface Case {
  file: string;
  origin: "report" | "written";
  kind: string;
  why: string;
  verdict?: string;
  verdictNot?: string[];
  asked?: { repository?: string; actions?: string[] };
  registry?: string;
  maps?: { name: string; actions: string[] }[];
  token?: Record<"name" | "scopeMap" | "state", string>;
  says?: string[];
  saysNot?: string[];
}

const FOLDER = new URL("../../../tests/cases/playground/", import.meta.url);
const ALL: Case[] = JSON.parse(readFileSync(new URL("cases.json", FOLDER), "utf8"));
const ELSEWHERE = ["secret", "wrong-readings"];
const CASES = ALL.filter(({ kind }) => !ELSEWHERE.includes(kind));

/** Cases that the page does not get right yet. */
const NOT_YET: string[] = [];

const SEPARATOR = /^===8<===\n/m;
const NOW = new Date("2026-11-30T12:00:00Z");

beforeAll(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterAll(() => {
  vi.useRealTimers();
});

for (const each of CASES) {
  const run = NOT_YET.includes(each.file) ? test.fails : test;
  run(`${each.kind}: ${each.file}`, () => expectRight(each, pieces(each)));
  run(`${each.kind}: ${each.file}, all at once`, () => expectRight(each, [pieces(each).join("")]));
}

function expectRight(each: Case, pasted: string[]): void {
  const found = differences(each, pasted);
  // The runner's own comparisons cut long texts, and here all of it is of interest.
  if (found.length > 0) throw new Error([each.why, ...found].join("\n"));
}

/** What is pasted one after the other, each from the beginning of a line. */
function pieces({ file }: Case): string[] {
  const text = readFileSync(new URL(`pastes/${file}`, FOLDER), "utf8");
  return text.split(SEPARATOR).map((piece) => (piece.endsWith("\n") ? piece : `${piece}\n`));
}

test("every case that is not right yet is a case", () => {
  const files = CASES.map(({ file }) => file);
  expect(NOT_YET.filter((file) => !files.includes(file))).toEqual([]);
});

/** What the page answers otherwise than it should. */
function differences(each: Case, pasted: string[]): string[] {
  return createRoot((dispose) => {
    const playground = createPlayground();
    const paste = createPaste(playground);
    let text = "";
    for (const piece of pasted) {
      text += piece;
      paste.write(text);
    }
    const found = compared(each, playground, paste);
    dispose();
    return found;
  });
}

function compared(each: Case, playground: Playground, paste: Paste): string[] {
  const verdict = verdictOf(playground.answer());
  const said = saidBy(playground, paste);
  const { model } = playground;
  const maps = model.maps.filter(({ name, actions }) => name !== "" || actions.length > 0);
  const token = { name: model.token.name, scopeMap: model.token.scopeMap, state: model.token.state };
  return [
    ...different("verdict", each.verdict, verdict),
    ...promised(playground, verdict),
    ...(each.verdictNot?.includes(verdict) ? [`verdict: ${verdict}`] : []),
    ...asked(each, playground),
    ...different("registry", each.registry, labelOf(hostAsked(model.question)) || playground.registry()),
    ...different("maps", each.maps && sorted(each.maps), sorted(maps)),
    ...different("token", each.token, token),
    ...(each.says ?? []).filter((text) => !said.includes(text)).map((text) => `does not say: ${text}`),
    ...(each.saysNot ?? []).filter((text) => said.includes(text)).map((text) => `says: ${text}`),
  ];
}

/** The sentence that is read first promises nothing that the verdict does not. */
function promised({ answer, model }: Playground, verdict: string): string[] {
  const { headline } = cardOf(answer(), model.whose === "token");
  const isGiven = verdict === "allowed" || verdict === "partly" || verdict === "none";
  return !isGiven && /will (?:partly )?work|\bcan (?!at least)/.test(headline) ? [`headline: ${headline}`] : [];
}

function different(field: string, right: unknown, given: unknown): string[] {
  const [wanted, got] = [JSON.stringify(right), JSON.stringify(given)];
  return right === undefined || wanted === got ? [] : [`${field}: ${got} in place of ${wanted}`];
}

function verdictOf(answer: Answer): string {
  return answer.kind === "answer" ? answer.verdict : "none";
}

/** The actions are one set for each map, and the maps are one set. */
function sorted(maps: readonly { name: string; actions: readonly string[] }[]): string[] {
  return maps.map(({ name, actions }) => `${name}: ${[...new Set(actions)].sort().join(" ")}`).sort();
}

function asked(each: Case, playground: Playground): string[] {
  const { repository, actions } = each.asked ?? {};
  const { scopes } = readScopes(scopesAsked(playground));
  const about = scopes.find(({ name }) => name === repository);
  if (repository === undefined) return [];
  if (!about) return different("asked", repository, scopes.map(({ name }) => name).join(" "));
  return different("asked", actions && [...actions].sort(), [...about.actions].sort());
}

/**
 * All that the page says about the question: the verdict's sentences, the changes, and what was
 * not understood.
 */
function saidBy({ answer }: Playground, { parts }: Paste): string {
  const given = answer();
  const notices = parts().flatMap(({ found }) => (found.kind === "unknown" ? [found.message, found.hint ?? ""] : []));
  if (given.kind === "incomplete") return [...given.missing, ...notices].join("\n");
  if (given.kind !== "answer") return notices.join("\n");
  return [
    ...given.caveats.map(({ text }) => text),
    ...given.explanations.map(({ text }) => text),
    ...given.needs,
    ...given.edits.map(({ command }) => command),
    ...notices,
  ].join("\n");
}
