/** Links: everything is restored, old ones open, and invalid links are reported as invalid. */

import { expect, test } from "vitest";
import { examples } from "./examples";
import { blank, type Model } from "./model";
import { pack, unpack } from "./share";

const full: Model = {
  ...blank(),
  pasted: "docker login -u MyToken reg.example\n",
  maps: [{ name: "MyScopeMap", registry: "reg", description: "ä 😀", actions: ["repositories/a/content/read"] }],
  old: { name: "", registry: "", description: "", actions: [] },
  compare: { before: 0, after: -1 },
  catalog: "filtered",
  profile: "distribution",
  repositories: ["a", "<img onerror=alert(1)>"],
  question: {
    kind: "operation",
    operation: "docker-push",
    target: { registry: "r", repository: "a", tag: "v1", source: "" },
  },
  whose: "token",
  held: "e30.e30.…",
  token: { name: "T", scopeMap: "m", registry: "r", clock: -600, state: "disabled" },
  assertions: [{ allow: "repository:a:pull", why: "because" }, { deny: "repository:a:push" }],
  panel: "tests",
};

test("a link holds everything", async () => {
  for (const model of [blank(), full, ...examples.map((example) => example.model())]) {
    expect(await unpack(`#${await pack(model)}`)).toEqual({ kind: "model", model });
  }
});

const SIGNED = "eyJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJyIn0.c2lnbmF0dXJlLW9mLWl0";

/** A text that holds secrets, in every field that takes a text. */
test("no field carries a secret", async () => {
  const text = `docker login -p hunter2 reg.example ${SIGNED}`;
  const token = ["{", '  "passwords": [{', '    "name": "password1",', '    "value": "hunter2"', "  }]", "}", SIGNED];
  const draft = { name: text, registry: text, description: text, actions: token };
  const target = { registry: text, repository: text, tag: text, source: text };
  const model: Model = {
    ...blank(),
    pasted: text,
    maps: [draft],
    old: draft,
    repositories: [text],
    held: SIGNED,
    token: { name: text, scopeMap: text, registry: text, clock: 0, state: "enabled" },
    assertions: [{ allow: text, why: text }],
  };
  for (const question of [
    { kind: "scope", text },
    { kind: "operation", operation: "docker-push", target },
  ] as const) {
    const opened = await unpack(`#${await pack({ ...model, question })}`);
    expect(opened.kind).toBe("model");
    const written = JSON.stringify(opened);
    expect(written).not.toContain("hunter2");
    expect(written).not.toContain("c2lnbmF0dXJl");
  }
});

test("what is no link", async () => {
  for (const [fragment, message] of [
    ["#nonsense", "This link isn't valid."],
    ["#1.%%%", "This link isn't valid."],
    ["#2.AAAA", "This link needs a newer version. Close all Scopegate tabs, then open it again."],
    ["#1.AAAA", "This link is incomplete or damaged. Ask the sender to copy it again."],
    ["#1.", "This link is incomplete or damaged. Ask the sender to copy it again."],
  ]) {
    expect(await unpack(fragment ?? "")).toEqual({ kind: "refused", message });
  }
  expect(await unpack("")).toEqual({ kind: "nothing" });
  expect(await unpack("#")).toEqual({ kind: "nothing" });
});

test("a link that was cut anywhere is refused", async () => {
  const link = await pack(full);
  for (let length = 3; length < link.length; length += 1) {
    expect((await unpack(link.slice(0, length))).kind, link.slice(0, length)).toBe("refused");
  }
});
