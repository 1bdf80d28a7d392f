/** Undo and redo of everything on the page. */

import { createRoot } from "solid-js";
import { unwrap } from "solid-js/store";
import { expect, test } from "vitest";
import { createHistory, type History } from "./history";
import { blank } from "./model";
import { createPaste, type Paste } from "./paste";
import { createPlayground, type Playground } from "./playground";

const READ = "repositories/team/app/content/read";
const WRITE = "repositories/team/app/content/write";
const MAP = `${JSON.stringify({ name: "ci", actions: [READ, WRITE] })}\n`;
const PUSH = "docker push contoso.azurecr.io/team/app:v1\n";

interface Page {
  playground: Playground;
  paste: Paste;
  history: History;
  clock: { now: number };
}

/** A change of the page. */
type Change = (page: Page) => void;

const write =
  (text: string): Change =>
  ({ paste }) =>
    paste.write(text);
const rules =
  (actions: string[], isTyped = false): Change =>
  ({ playground }) =>
    playground.write(0, actions, isTyped);
const ask =
  (text: string): Change =>
  ({ playground }) =>
    playground.ask({ kind: "scope", text });
const wait: Change = ({ clock }) => {
  clock.now += 2000;
};

/** Runs changes on an empty page, each on its own as a browser's events are. */
async function after(changes: Change[], look: (page: Page, models: string[]) => void): Promise<void> {
  await createRoot(async (dispose) => {
    const clock = { now: 0 };
    const playground = createPlayground();
    const paste = createPaste(playground);
    const page = { playground, paste, history: createHistory(playground, paste, () => clock.now), clock };
    const models = [shown(page)];
    for (const change of changes) {
      change(page);
      await Promise.resolve();
      models.push(shown(page));
    }
    look(page, models);
    dispose();
  });
}

function shown({ playground }: Page): string {
  const { panel: _, ...rest } = unwrap(playground.model);
  return JSON.stringify(rest, (_key, value) => value ?? null);
}

/** Changes, each of which is a step of its own. */
const steps: [string, Change[]][] = [
  ["a paste", [write(MAP)]],
  ["a paste after another", [write(MAP), write(MAP + PUSH)]],
  ["rules that are written", [write(MAP), rules([READ]), rules([])]],
  ["a map that is removed", [write(MAP), ({ playground }) => playground.replaceMaps([])]],
  ["repositories", [({ playground }) => playground.addRepositories(["a", "b"]), removed("a"), removed("b")]],
  ["a test", [({ playground }) => playground.assert({ deny: "repository:a:pull" })]],
  ["a question after a pause", [ask("repository:a:pull"), wait, ask("repository:b:pull")]],
  ["the registry's type", [({ playground }) => playground.set("profile", "distribution")]],
  ["everything", [write(MAP + PUSH), ({ paste }) => paste.load(blank())]],
  ["a pasted token that is looked at", [write(PUSH), ({ playground }) => playground.set("whose", "token")]],
];

function removed(name: string): Change {
  return ({ playground }) => playground.removeRepositories([name]);
}

test.each(steps)("%s: undone and made again, step by step", async (_, changes) => {
  await after(changes, (page, models) => {
    const seen = models.filter((model, index) => model !== models[index - 1]);
    for (const model of seen.slice(0, -1).toReversed()) {
      page.history.undo();
      expect(shown(page)).toBe(model);
    }
    expect(page.history.canUndo()).toBe(false);
    for (const model of seen.slice(1)) {
      page.history.redo();
      expect(shown(page)).toBe(model);
    }
    expect(page.history.canRedo()).toBe(false);
  });
});

/** Keys that follow one another, after one step. */
const typed: [string, Change[]][] = [
  ["the paste field", ["d", "do", "doc", "dock", "docke", "docker"].map(write)],
  ["the rules", ["r", "re", "rep"].map((text) => rules([text], true))],
  ["the question", ["r", "re", "rep"].map(ask)],
  [
    "the name of a map",
    ["c", "ci"].map(
      (name) =>
        ({ playground }) =>
          playground.set("maps", 0, "name", name),
    ),
  ],
];

test.each(typed)("what is typed into %s is undone as a whole", async (_, keys) => {
  await after([rules([WRITE]), wait, ...keys], (page, models) => {
    page.history.undo();
    expect(shown(page)).toBe(models[1]);
  });
});

test("a command that is typed is undone with all that it did", async () => {
  const keys = Array.from(PUSH.trim(), (_, end) => write(MAP + PUSH.slice(0, end + 1)));
  await after([write(MAP), ...keys], (page, models) => {
    page.history.undo();
    expect(shown(page)).toBe(models[1]);
    // What the field did goes with it: the same text is new again.
    page.paste.write(MAP + PUSH);
    expect(page.playground.model.question.kind).toBe("operation");
  });
});

test("what is typed after an undo is a step of its own, and nothing is left to make again", async () => {
  await after([rules([READ]), wait, rules([READ, WRITE])], (page) => {
    page.history.undo();
    page.playground.ask({ kind: "scope", text: "repository:a:pull" });
    page.history.redo();
    expect(page.playground.model.maps[0]?.actions).toEqual([READ]);
    page.history.undo();
    expect(page.playground.model.question).toEqual({ kind: "scope", text: "" });
  });
});

/** Changes, and what they are said to have removed at the end. */
const sentences: [Change[], string | null][] = [
  [[write(MAP)], null],
  [[write(MAP), rules([READ])], "Rule removed."],
  [[write(MAP), rules([])], "2 rules removed."],
  [[write(MAP), rules([], true)], null],
  [
    [write(MAP + MAP.replace("ci", "b")), ({ playground }) => playground.replaceMaps([])],
    // One empty map stays.
    "Scope map removed.",
  ],
  [[({ playground }) => playground.addRepositories(["a", "b"]), removed("a")], "a removed."],
  [
    [
      ({ playground }) => playground.addRepositories(["a", "b"]),
      ({ playground }) => playground.set("repositories", []),
    ],
    "2 repositories removed.",
  ],
  [
    [
      ({ playground }) => playground.assert({ deny: "repository:a:pull" }),
      ({ playground }) => playground.set("assertions", []),
    ],
    "Test removed.",
  ],
  [
    [
      ({ playground }) => playground.hold("eyJhbGciOiJFUzI1NiJ9.e30."),
      ({ playground }) => playground.set({ held: "", whose: "maps" }),
    ],
    "Token removed.",
  ],
  [[write(MAP), write("")], "Pasted text cleared."],
  [[write(MAP + PUSH), ({ paste }) => paste.load(blank())], "Saved data deleted."],
  [[write(MAP), rules([READ]), ask("r")], null],
];

test.each(sentences)("what was removed: %#", async (changes, expected) => {
  await after(changes, ({ history }) => expect(history.removed()).toBe(expected));
});

test("what is kept is bounded by steps", async () => {
  const many = Array.from({ length: 150 }, (_, count) => rules([`r${count}`]));
  await after(many, ({ history }) => {
    let steps = 0;
    while (history.canUndo()) {
      history.undo();
      steps += 1;
    }
    expect(steps).toBe(100);
  });
});

test("what is kept is bounded by the length of texts", async () => {
  const large = Array.from({ length: 7 }, (_, count) => write(`${"#".repeat(6_000_000)}${"\n#".repeat(count)}`));
  await after(large, ({ history }) => {
    let steps = 0;
    while (history.canUndo()) {
      history.undo();
      steps += 1;
    }
    expect(steps).toBe(3);
  });
});
