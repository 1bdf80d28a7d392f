/** The store: what follows from what is put in. */

import { createRoot } from "solid-js";
import { expect, test, vi } from "vitest";
import { createPaste } from "./paste";
import { createPlayground, type Playground } from "./playground";

/** Pastes each text after the other into an empty page, and looks. */
function after(texts: string[], look: (playground: Playground) => void): void {
  createRoot((dispose) => {
    const playground = createPlayground();
    const paste = createPaste(playground);
    for (const text of texts) paste.write(text);
    look(playground);
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
  after([push + map], (playground) => {
    const verdict = () => {
      const given = playground.answer();
      return given.kind === "answer" ? given.verdict : given.kind;
    };
    const given = playground.answer();
    playground.apply(given.kind === "answer" ? given.edits : []);
    expect(verdict()).toBe("allowed");
    playground.undo();
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
  const token = `${part({ alg: "ES256", typ: "JWT" })}.${part(claims)}.c2lnbmF0dXJl`;
  after([token], (playground) => {
    expect(playground.model.held).not.toContain("c2lnbmF0dXJl");
    expect(playground.model.whose).toBe("token");
    playground.ask({ kind: "scope", text: "repository:a:pull,push" });
    const given = playground.answer();
    expect(given.kind === "answer" && given.explanations[0]?.text).toBe(
      "the token holds pull on `a`\nthe token does not hold push on `a`\n",
    );
  });
});

/** A token of this lifetime, in seconds from now on. */
function token(lifetime: number): string {
  const part = (value: object) => btoa(JSON.stringify(value)).replaceAll("=", "");
  const now = Math.floor(Date.now() / 1000);
  const claims = { aud: "myregistry.azurecr.io", nbf: now, exp: now + lifetime, access: [] };
  return `${part({ alg: "ES256" })}.${part(claims)}.AAAA`;
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
      expect(ended.kind === "answer" && ended.doubts.map(({ text }) => text)).toEqual([
        "the token is refused: expired 1 minute ago",
      ]);
    });
  } finally {
    vi.useRealTimers();
  }
});
