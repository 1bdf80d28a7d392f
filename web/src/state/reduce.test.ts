/** The page as a function of texts and edits, without Solid. */

import { expect, test } from "vitest";
import { recognise } from "../recognise";
import type { Edit } from "./edits";
import { applyText, initialField, isKeystroke } from "./field";
import { blank } from "./model";
import type { PageState } from "./page-state";
import { append, present, start, type Timeline } from "./reduce";

const NOW = Date.UTC(2026, 10, 30, 12);
const READ = "repositories/team/app/content/read";
const WRITE = "repositories/team/app/content/write";
const scopeMap = (name: string, ...actions: string[]) => `${JSON.stringify({ name, actions })}\n`;
const PUSH = "docker push contoso.azurecr.io/team/app:v1\n";
const addWrite = "az acr scope-map update -n ci -r contoso --add-repository team/app content/write\n";
const rules = (...actions: string[]): Edit => ({ kind: "rules", index: 0, actions, isTyped: false });
const set = (...path: unknown[]): Edit => ({ kind: "set", path });

/** What is done one after the other: a text that the field holds, or an edit. */
type Story = (string | Edit)[];

/** What is done, and what of the page is then as it is said. */
const stories: [string, Story, Partial<Record<string, unknown>>][] = [
  ["nothing", [], { maps: ["*"], question: "" }],
  ["a map", [scopeMap("ci", READ)], { maps: [`ci* ${READ}`] }],
  ["a map in place of another", [scopeMap("ci", READ), scopeMap("b", WRITE)], { maps: [`b* ${WRITE}`] }],
  [
    "a map beside another",
    [scopeMap("ci", READ), scopeMap("ci", READ) + scopeMap("b", WRITE)],
    { maps: [`ci* ${READ}`, `b* ${WRITE}`] },
  ],
  [
    "a map of the registry of a command",
    [PUSH, PUSH + scopeMap("ci", READ)],
    { maps: [`ci*contoso ${READ}`], question: "docker-push team/app", repositories: ["team/app"] },
  ],
  [
    "a rule that is changed by hand, and a line more",
    [scopeMap("ci", READ), rules(WRITE), scopeMap("ci", READ) + PUSH],
    { maps: [`ci*contoso ${WRITE}`] },
  ],
  [
    "a change of a map",
    [scopeMap("ci", READ), scopeMap("ci", READ) + addWrite],
    { maps: [`ci*contoso ${READ} ${WRITE}`] },
  ],
  [
    "a change whose key is taken back",
    [scopeMap("ci", READ), scopeMap("ci", READ) + addWrite.trim(), scopeMap("ci", READ) + addWrite.slice(0, -2)],
    { maps: [`ci*contoso ${READ}`] },
  ],
  [
    "a change that goes as a whole",
    [scopeMap("ci", READ), scopeMap("ci", READ) + addWrite, scopeMap("ci", READ)],
    { maps: [`ci*contoso ${READ} ${WRITE}`] },
  ],
  [
    "a change that is said to have failed",
    [
      scopeMap("ci", READ),
      ...["", "ERROR: (Forbidden) no\n"].map((more) => `${scopeMap("ci", READ)}$ ${addWrite}${more}`),
    ],
    { maps: [`ci*contoso ${READ}`] },
  ],
  [
    "half a change, and an edit of the rules",
    [scopeMap("ci", READ), scopeMap("ci", READ) + addWrite.trim(), rules(WRITE), scopeMap("ci", READ)],
    { maps: [`ci*contoso ${WRITE}`] },
  ],
  [
    "half a command, and an edit of the token",
    [PUSH.slice(0, -2), set("token", "clock", 60), PUSH.slice(0, -1)],
    { repositories: ["team/app"], clock: 60 },
  ],
  [
    "a repository that is typed letter by letter",
    letters("", PUSH.replace(":v1\n", "")),
    { repositories: ["team/app"], question: "docker-push team/app" },
  ],
  [
    "half a command and a repository that is shown by hand",
    [PUSH.trim(), { kind: "show", names: ["by/hand"] }, PUSH.trim().slice(0, -1)],
    { repositories: ["by/hand", "team/app"], question: "docker-push team/app" },
  ],
  ["a field that is not there", [set("maps", 7, "name", "x")], { maps: ["*"] }],
  [
    "an edit after half a map that is gone",
    [scopeMap("ci", READ), set("maps", 0, "name", "by-hand"), scopeMap("ci", READ).slice(0, -4)],
    { maps: [`by-hand* ${READ}`] },
  ],
];

test.each(stories)("%s", (_, story, expected) => {
  expect(shown(present(told(story)))).toMatchObject(expected);
});

test("a state never changes", () => {
  const timeline = told([scopeMap("ci", READ)]);
  const before = present(timeline);
  const copy = structuredClone(before);
  const edits = Array.from({ length: 200 }, (_, count) => ({ key: null, changes: [rules(`r${count}`)], now: NOW }));
  const after = edits.reduce((all, step) => append(all, [step]), timeline);
  expect(present(after)).not.toEqual(copy);
  expect(before).toEqual(copy);
});

/** The timeline after all that is told. */
function told(story: Story): Timeline {
  const { pasted: _, ...page } = blank();
  let timeline = start(page);
  let field = initialField("", []);
  let text = "";
  for (const one of story) {
    if (typeof one === "object") timeline = append(timeline, [{ key: null, changes: [one], now: NOW }]);
    else {
      const input = { text: one, parts: recognise(one), isKeystroke: isKeystroke(text, one), now: NOW };
      ({ field, timeline } = applyText(field, timeline, input));
      text = one;
    }
  }
  return timeline;
}

/** The field as it is typed behind a text, letter by letter. */
function letters(before: string, text: string): string[] {
  return Array.from(text, (_, end) => before + text.slice(0, end + 1));
}

/** A state in a few words: maps as `name*registry actions`. */
function shown({ model }: PageState) {
  const { maps, question, repositories, token } = model;
  return {
    maps: maps.map(({ name, registry, actions }) => [`${name}*${registry}`, ...actions].join(" ")),
    question: question.kind === "scope" ? question.text : `${question.operation} ${question.target.repository}`,
    repositories,
    clock: token.clock,
  };
}
