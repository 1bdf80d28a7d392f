/** What the rules do not tell: a wrong "allowed" is the worst that the page could say. */

import { createRoot } from "solid-js";
import { expect, test } from "vitest";
import { createPaste } from "./paste";
import { createPlayground } from "./playground";

const both = ["content/read", "content/write"];

function map(name: string, ...permissions: string[]): string {
  const id = `/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/myregistry/scopeMaps/${name}`;
  return JSON.stringify({ id, name, actions: permissions.map((permission) => `repositories/team/app/${permission}`) });
}

const push = "docker push myregistry.azurecr.io/team/app:1.2";

function jwt(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "ES256", typ: "JWT" })}.${part(claims)}.c2lnbmF0dXJl`;
}

function access(actions: string[], from: number, to: number, aud = "myregistry.azurecr.io"): string {
  const now = Math.floor(Date.now() / 1000);
  const entry = { type: "repository", name: "team/app", actions };
  return jwt({ aud, nbf: now + from, exp: now + to, access: [entry], grant_type: "access_token" });
}

const token = (scopeMap: string, status: string) =>
  JSON.stringify({
    name: "ci",
    status,
    scopeMapId: `/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/myregistry/scopeMaps/${scopeMap}`,
    credentials: { passwords: [], username: "ci" },
  });

const cases: [string, string[], string, string][] = [
  ["a push that the map allows", [map("ci-map", ...both), push], "allowed", ""],
  ["a token that holds it", [access(["pull", "push"], -10, 600), push], "allowed", ""],
  ["a token that holds less than the map", [map("ci-map", ...both), push, access(["pull"], -10, 600)], "partly", ""],
  ["a token that has ended", [access(["pull", "push"], -600, -120), push], "denied", "expired 2 minutes ago"],
  ["a token that is not valid yet", [access(["pull", "push"], 120, 600), push], "denied", "not valid until"],
  [
    "a token for another registry",
    [access(["pull", "push"], -10, 600, "other.example"), push],
    "denied",
    "other.example",
  ],
  ["a refresh token", [jwt({ grant_type: "refresh_token", exp: 9e9 }), push], "denied", "refresh token"],
  ["a disabled token", [map("ci-map", ...both), token("ci-map", "disabled"), push], "denied", "disabled"],
  ["a token of another map", [map("ci-map", ...both), token("other-map", "enabled"), push], "unsure", "other-map"],
  [
    "an image of another registry",
    [map("ci-map", ...both), push.replace("myregistry", "other")],
    "unsure",
    "other.azurecr.io",
  ],
  ["an image of Docker Hub", [map("ci-map", ...both), "docker push team/app:1.2"], "unsure", "Docker Hub"],
  [
    "two maps that only together allow",
    [`${map("one-map", "content/read")}\n${map("two-map", "content/write")}`, push],
    "unsure",
    "only together",
  ],
  ["no map", [push], "unsure", "no scope map"],
  [
    "a refusal that the map does not explain",
    [map("ci-map", ...both), `${push}\ndenied: requested access to the resource is denied\n`],
    "unsure",
    "and yet it was refused",
  ],
  [
    "a tag is deleted with more rights than a repository",
    [map("ci-map", "content/delete"), "az acr repository delete -n myregistry --image team/app:1.2 --yes"],
    "denied",
    "",
  ],
  [
    "helm lists tags without a version",
    [map("ci-map", "content/read"), "helm pull oci://myregistry.azurecr.io/team/app"],
    "denied",
    "",
  ],
  [
    "helm lists no tags for a version",
    [map("ci-map", "content/read"), "helm pull oci://myregistry.azurecr.io/team/app --version 1.2.3"],
    "allowed",
    "",
  ],
];

/** The addresses that a registry may have, and the fix that stays. */
test("a registry at an address of its own", () => {
  for (const [host, verdict, doubt] of [
    ["localhost:5000", "denied", "holds if that is an address of `myregistry`"],
    ["registry.example", "denied", "holds if that is an address of `myregistry`"],
    ["myregistry-a1b2.azurecr.io", "denied", ""],
    ["myregistry2.azurecr.io", "unsure", "decides nothing there"],
  ] as const) {
    createRoot((dispose) => {
      const playground = createPlayground();
      createPaste(playground).write(`${map("ci-map", "content/read")}\n\ndocker push ${host}/team/app:1.2`);
      const answer = playground.answer();
      const given = answer.kind === "answer" ? answer : null;
      expect([host, given?.verdict === "partly" ? "denied" : given?.verdict]).toEqual([host, verdict]);
      expect(given?.doubts.map(({ text }) => text).join("\n")).toContain(doubt);
      expect(given?.edits.length).toBe(verdict === "denied" ? 1 : 0);
      dispose();
    });
  }
});

test("what was allowed elsewhere is never allowed for certain", () => {
  createRoot((dispose) => {
    const playground = createPlayground();
    createPaste(playground).write(`${map("ci-map", ...both)}\n\ndocker push ghcr.io/team/app:1.2`);
    const answer = playground.answer();
    expect(answer.kind === "answer" && answer.verdict).toBe("unsure");
    dispose();
  });
});

test("a refused push says nothing of a pull", () => {
  createRoot((dispose) => {
    const playground = createPlayground();
    const refused = `${push}\ndenied: requested access to the resource is denied\n`;
    createPaste(playground).write(`${map("ci-map", "content/read")}\n\n${refused}`);
    playground.ask({ kind: "scope", text: "repository:team/app:pull" });
    const answer = playground.answer();
    expect(answer.kind === "answer" && [answer.verdict, answer.doubts]).toEqual(["allowed", []]);
    dispose();
  });
});

for (const [name, texts, verdict, doubt] of cases) {
  test(name, () => {
    createRoot((dispose) => {
      const playground = createPlayground();
      const paste = createPaste(playground);
      for (const place of texts.keys()) paste.write(texts.slice(0, place + 1).join("\n\n"));
      const answer = playground.answer();
      const given = answer.kind === "answer" ? answer : null;
      expect(given?.verdict).toBe(verdict);
      expect(given?.doubts.map(({ text }) => text).join("\n")).toContain(doubt);
      dispose();
    });
  });
}
