/** The store: what follows from what is put in. */

import { createRoot } from "solid-js";
import { unwrap } from "solid-js/store";
import { expect, onTestFinished, test, vi } from "vitest";
import { createHistory } from "./history";
import { createPaste, type Paste } from "./paste";
import { createPlayground, type Playground } from "./playground";

/** Pastes each text after the other into an empty page, and looks. */
function after(texts: string[], look: (playground: Playground, paste: Paste) => void): void {
  createRoot((dispose) => {
    const playground = createPlayground();
    const paste = createPaste(playground);
    for (const text of texts) paste.write(text);
    look(playground, paste);
    dispose();
  });
}

const push =
  "$ docker push myregistry.azurecr.io/samples/nginx:v1\ndenied: requested access to the resource is denied\n";
const map = JSON.stringify({
  name: "MyScopeMap",
  actions: ["repositories/samples/hello-world/content/read", "repositories/samples/hello-world/content/write"],
});

const fix =
  "az acr scope-map update --name MyScopeMap --registry myregistry --add-repository samples/nginx content/read content/write";

test("a line that failed and a map, in any order, give the command", () => {
  for (const texts of [[push + map], [push, push + map], [`${map}\n`, `${map}\n${push}`], [map, push]]) {
    after(texts, ({ answer }) => {
      const given = answer();
      expect(given.kind === "answer" && given.edits.map((edit) => edit.command)).toEqual([fix]);
      expect(given.kind === "answer" && given.verdict).toBe("denied");
    });
  }
});

test("the change makes it work, and can be undone", () => {
  after([push + map], (playground, paste) => {
    const history = createHistory(playground, paste);
    const verdict = () => {
      const given = playground.answer();
      return given.kind === "answer" ? given.verdict : given.kind;
    };
    const given = playground.answer();
    playground.apply(given.kind === "answer" ? given.edits : []);
    expect(verdict()).toBe("allowed");
    history.undo();
    expect(verdict()).toBe("denied");
  });
});

test("a rule that was changed stays changed while the field is written on", () => {
  after([map], (playground) => {
    const paste = createPaste(playground);
    playground.write(0, ["repositories/other/content/read"]);
    paste.write(`${map}\n${push}`);
    expect(playground.model.maps[0]?.actions).toEqual(["repositories/other/content/read"]);
  });
});

test("a token that is pasted is held without its signature", () => {
  const claims = { access: [{ type: "repository", name: "a", actions: ["pull"] }] };
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const token = `${part({ alg: "ES256", typ: "JWT" })}.${part(claims)}.${"c2lnbmF0dXJl".padEnd(86, "A")}`;
  after([token], (playground) => {
    expect(playground.model.held).not.toContain("c2lnbmF0dXJl");
    expect(playground.model.whose).toBe("token");
    playground.ask({ kind: "scope", text: "repository:a:pull,push" });
    const given = playground.answer();
    expect(given.kind === "answer" && given.explanations[0]?.text).toBe(
      "the token can pull `a`\nthe token can't push to `a`\n",
    );
  });
});

/** A token of this lifetime, in seconds from now on. */
function token(lifetime: number): string {
  const part = (value: object) => btoa(JSON.stringify(value)).replaceAll("=", "");
  const now = Math.floor(Date.now() / 1000);
  const claims = { aud: "myregistry.azurecr.io", nbf: now, exp: now + lifetime, access: [] };
  return `${part({ alg: "ES256" })}.${part(claims)}.${"A".repeat(86)}`;
}

test("time alone makes no other answer, unless a token ends", () => {
  vi.useFakeTimers();
  try {
    after([push + map], ({ answer }) => {
      const before = answer();
      vi.advanceTimersByTime(10_000);
      expect(answer()).toBe(before);
    });
    after([push], ({ answer, hold }) => {
      hold(token(5));
      const before = answer();
      vi.advanceTimersByTime(50_000);
      expect(answer()).toBe(before);
      vi.advanceTimersByTime(30_000);
      const ended = answer();
      expect(ended.kind === "answer" && ended.caveats.map(({ text }) => text)).toEqual([
        "registries reject the token: expired 1 minute ago",
      ]);
    });
  } finally {
    vi.useRealTimers();
  }
});

const verdictOf = ({ answer }: Playground) => {
  const given = answer();
  return given.kind === "answer" ? given.verdict : given.kind;
};
const works = JSON.stringify({
  name: "MyScopeMap",
  actions: ["repositories/samples/*/content/read", "repositories/samples/*/content/write"],
});

test("what a client said is known as long as nothing is changed, also on another page", () => {
  after([push + works], (playground) => {
    expect(verdictOf(playground)).toBe("unsure");
    const { model } = playground;
    createRoot((dispose) => {
      expect(verdictOf(createPlayground(structuredClone(unwrap(model))))).toBe("unsure");
      dispose();
    });
    playground.write(0, [...(playground.model.maps[0]?.actions ?? [])]);
    expect(verdictOf(playground)).toBe("allowed");
  });
  after([push + works, works], (playground) => {
    expect(verdictOf(playground)).toBe("allowed");
    expect(playground.model.reported).toBeNull();
  });
});

test("an invalid name is said to be invalid", () => {
  after([map], (playground) => {
    const target = { registry: "", repository: "Team/app", tag: "v1", source: "" };
    playground.ask({ kind: "operation", operation: "docker-push", target });
    const given = playground.answer();
    expect(given.kind === "problem" && given.problem.code).toBe("name_upper_case");
    playground.ask({ kind: "operation", operation: "docker-push", target: { ...target, repository: "" } });
    expect(playground.answer().kind).toBe("nothing");
  });
});

test("a file of assertions takes the place of those that were written, and gives it back", () => {
  const file = JSON.stringify({ scopeMaps: [], catalog: "never", assertions: [{ allow: "repository:b:pull" }] });
  after([map], (playground) => {
    playground.assert({ deny: "repository:a:pull" });
    const paste = createPaste(playground);
    const history = createHistory(playground, paste);
    paste.write(`${map}\n${file}`);
    expect(playground.model.assertions).toEqual([{ allow: "repository:b:pull" }]);
    expect(playground.model.catalog).toBe("never");
    history.undo();
    expect(playground.model.assertions).toEqual([{ deny: "repository:a:pull" }]);
    expect(playground.model.catalog).toBe("root");
  });
});

test("what the rules propose stays until there is enough to look at, and nothing is left out in silence", () => {
  const rules = Array.from({ length: 20 }, (_, index) => `repositories/r${index}/content/read`);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  after([JSON.stringify(rules)], ({ model, rows, more, addRepositories }) => {
    const proposed = () => rows().filter((row) => row.proposed);
    expect(more()).toBeNull();
    vi.runOnlyPendingTimers();
    expect([proposed().length, proposed().length + (more()?.length ?? 0)]).toEqual([8, 41]);
    expect(proposed().at(-1)?.standsFor).toBe("*");
    addRepositories(["team/a", "team/b", "team/c"]);
    expect(proposed()).toHaveLength(8);
    addRepositories(Array.from({ length: 600 }, (_, index) => `team/x${index}`));
    expect([rows().length, model.repositories.length, more()?.length]).toEqual([500, 603, 41]);
  });
});
