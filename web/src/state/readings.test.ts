/**
 * What the page says of texts that were read wrongly once, `tests/cases/playground`: one test for
 * each, through the page's own state.
 */

import { createRoot } from "solid-js";
import { unwrap } from "solid-js/store";
import { beforeAll, expect, test, vi } from "vitest";
import { type Case, casesOfKind, piecesOf } from "../../tests/cases.ts";
import { readScopes } from "../engine";
import { type Answer, scopesAsked } from "./answer";
import { hostAsked } from "./model";
import { createPaste } from "./paste";
import { createPlayground, type Playground } from "./playground";
import { labelOf } from "./registry";

beforeAll(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 30, 12) });
  return () => vi.useRealTimers();
});

test.each(casesOfKind("wrong-readings"))("$file: $why", (one) => {
  createRoot((dispose) => {
    const playground = createPlayground();
    const paste = createPaste(playground);
    for (const piece of piecesOf(one)) paste.write(playground.model.pasted + piece);
    expectAnswer(playground, one);
    dispose();
  });
});

function expectAnswer(playground: Playground, one: Case): void {
  const answer = playground.answer();
  const verdict = verdictOf(answer);
  if (one.verdict) expect(verdict).toBe(one.verdict);
  expect([one.verdictNot ?? []].flat()).not.toContain(verdict);
  if (one.asked) expect(asked(playground)).toEqual({ ...one.asked, actions: new Set(one.asked.actions) });
  if (one.registry) expect(labelOf(hostAsked(playground.model.question))).toBe(one.registry);
  if (one.maps) expect(sets(playground.model.maps)).toEqual(sets(one.maps));
  const said = textsIn(answer).join("\n");
  for (const text of one.says ?? []) expect(said).toContain(text);
  for (const text of one.saysNot ?? []) expect(said).not.toContain(text);
}

const web = (name: string, ...permissions: string[]) =>
  `${JSON.stringify({ name, actions: permissions.map((permission) => `repositories/shop/web/${permission}`) })}\n`;
const both = web("web-old", "content/read", "content/write");
const read = web("web-new", "content/read");
const push = "docker push contoso.azurecr.io/shop/web:v3\n";
const disabled =
  '{"name":"ci","status":"disabled","scopeMapId":"/registries/contoso/scopeMaps/web-old","credentials":{}}\n';

const update = (name: string, change: string) => `az acr scope-map update -r contoso -n ${name} ${change}\n`;
const takesPush = update("web-old", "--remove-repository shop/web content/write");
const addsSome = update("web-new", '--add-repository "$REPOSITORY" content/write');
const addsOther = update("web-other", "--add-repository shop/api content/write");
const locks = "az acr repository update -n contoso --repository shop/web --write-enabled false\n";

/** What the field holds one after the other, the verdict, and a piece of what is said. */
const stories: [string, string[], string, string][] = [
  ["a map below another", [both, both + read, both + read + push], "unsure", "`web-new` doesn't"],
  ["a map in the place of another", [both, read, read + push], "denied", "can't push to"],
  // It stays on the page, where it can be removed.
  ["a map whose text goes", [both + read + push, read + push], "unsure", "`web-new` doesn't"],
  ["the same map twice", [both, both + both, both + both + push], "allowed", "can push to"],
  [
    "a map before and after a change",
    [both, both + web("web-old", "content/read"), both + web("web-old", "content/read") + push],
    "unsure",
    "two versions of",
  ],
  [
    "a map that is typed below another",
    [
      both,
      `${both}repositories/x/content/rea`,
      `${both}repositories/x/content/read`,
      `${both}repositories/x/content/read\n${push}`,
    ],
    "unsure",
    "the unnamed map",
  ],
  [
    "a map that is printed behind a change",
    [both, `${both}${takesPush}`, `${both}${takesPush}${web("web-old", "content/read")}`].map((text) => text + push),
    "denied",
    "can't push to",
  ],
  ["a map that is changed by a variable", [`${read}${addsSome}`, `${read}${addsSome}${push}`], "unsure", "more rules"],
  [
    "the same, once it is printed as a whole",
    [`${read}${addsSome}`, `${read}${addsSome}${read}`, `${read}${addsSome}${read}${push}`],
    "denied",
    "can't push to",
  ],
  [
    "a map in part beside one that denies",
    [`${read}${addsOther}`, `${read}${addsOther}${push}`],
    "unsure",
    "more rules",
  ],
  ["a lock below several maps", [both, `${both}${read}`, `${both}${read}${locks}${push}`], "denied", "is locked"],
  ["a lock that goes for what is not understood", [`${both}${locks}${push}`, "what?"], "denied", "is locked"],
  ["a lock that goes, and another question", [`${both}${locks}${push}`, "what?", push], "allowed", "can push to"],
  ["maps of which none allows it", [`${read}${web("web-other", "metadata/read")}${push}`], "denied", "can't push to"],
  ["a question that goes, and what is not understood", [both + push, "what?"], "allowed", "can push to"],
  ["a disabled token that goes for what is not understood", [both + disabled + push, "what?"], "denied", "disabled"],
  ["and for another question then", [both + disabled + push, "what?", `${push}`], "allowed", "can push to"],
  [
    "a refused login before any question",
    ["Error response from daemon: login attempt failed with status: 401 Unauthorized\n"],
    "none",
    "",
  ],
];

test.each(stories)("%s", (_, texts, verdict, said) => {
  createRoot((dispose) => {
    const playground = createPlayground();
    const paste = createPaste(playground);
    for (const text of texts) paste.write(text);
    const answer = playground.answer();
    const all = textsIn(answer).join("\n");
    expect([verdictOf(answer), all.includes(said) ? said : all]).toEqual([verdict, said]);
    dispose();
  });
});

test("maps stay apart on a page that was left and is opened again", () => {
  createRoot((dispose) => {
    const first = createPlayground();
    createPaste(first).write(both);
    const again = createPlayground(structuredClone(unwrap(first.model)));
    createPaste(again).write(both + read);
    expect([...sets(again.model.maps).keys()]).toEqual(["web-old", "web-new"]);
    dispose();
  });
});

test("what is chosen as the map of the token decides", () => {
  createRoot((dispose) => {
    const playground = createPlayground();
    createPaste(playground).write(both + read + push);
    playground.set("token", "scopeMap", "web-new");
    expect(verdictOf(playground.answer())).toBe("denied");
    playground.set("token", "scopeMap", "web-old");
    expect(verdictOf(playground.answer())).toBe("allowed");
    dispose();
  });
});

/** There is a verdict where something was asked. */
function verdictOf(answer: Answer): string {
  return answer.kind === "answer" ? answer.verdict : "none";
}

function asked(playground: Playground) {
  const [scope] = readScopes(scopesAsked(playground)).scopes;
  return { repository: scope?.name, actions: new Set(scope?.actions) };
}

function sets(maps: { name: string; actions: string[] }[]) {
  return new Map(maps.map(({ name, actions }) => [name, new Set(unwrap(actions))]));
}

/** Every text of an answer, however deep it is. */
function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
