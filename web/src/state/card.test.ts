/** The sentence that is read first: it says what the verdict is, and never more. */

import { createRoot } from "solid-js";
import { expect, test } from "vitest";
import { type Card, cardOf } from "./card";
import { createPaste } from "./paste";
import { createPlayground } from "./playground";
import { divided, rightsOf, sentence } from "./words";

const map = (name: string, ...rules: string[]) =>
  `${JSON.stringify({ name, actions: rules.map((rule) => `repositories/${rule}`) })}\n`;

const READ = map("reader", "samples/nginx/content/read");
const BOTH = map("writer", "samples/nginx/content/read", "samples/nginx/content/write");
const PUSH = "docker push myregistry.azurecr.io/samples/nginx:v1\n";
const LOGIN =
  'Failed to pull image "myregistry.azurecr.io/samples/nginx:v3": failed to authorize: failed to fetch oauth token: unexpected status from POST request to https://myregistry.azurecr.io/oauth2/token: 401 Unauthorized\n';

function jwt(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "ES256", typ: "JWT" })}.${part(claims)}.${"c2lnbmF0dXJl".padEnd(86, "A")}\n`;
}

const held = (from: number, ...actions: string[]) => {
  const now = Math.floor(Date.now() / 1000);
  const access = actions.length > 0 ? [{ type: "repository", name: "samples/nginx", actions }] : [];
  return jwt({ aud: "myregistry.azurecr.io", nbf: now + from, exp: now + from + 600, access });
};

function cardFor(pasted: string, scope: string): Card {
  return createRoot((dispose) => {
    const playground = createPlayground();
    createPaste(playground).write(pasted);
    if (scope !== "") playground.ask({ kind: "scope", text: scope });
    const card = cardOf(playground.answer(), playground.model.whose === "token");
    dispose();
    return card;
  });
}

/** What is pasted and asked, the word of the verdict, and the sentence. */
const cards: [string, string, string, string, string][] = [
  ["a push that works", BOTH + PUSH, "", "Allowed", "`docker push samples/nginx` will work."],
  [
    "a push that fails",
    READ + PUSH,
    "",
    "Denied",
    "`docker push samples/nginx` will fail: the token can't push to `samples/nginx`.",
  ],
  [
    "a push without a map",
    PUSH,
    "",
    "Can't tell yet",
    "`docker push samples/nginx` needs `content/read` and `content/write` on `samples/nginx`.",
  ],
  ["a scope", READ, "repository:samples/nginx:pull", "Allowed", "The token can pull `samples/nginx`."],
  [
    "a scope that is denied",
    READ,
    "repository:samples/nginx:push",
    "Denied",
    "The token can't push to `samples/nginx`.",
  ],
  [
    "a scope of which a part is denied",
    READ,
    "repository:samples/nginx:pull,push",
    "Partly allowed",
    "The token can pull `samples/nginx`, but can't push to `samples/nginx`.",
  ],
  ["the catalog", READ, "registry:catalog:*", "Denied", "The token can't list the repositories."],
  ["a typo", READ, "repository:samples/nginx:pulls", "", "Unknown action `pulls`."],
  ["half a scope", READ, "repository:samples/nginx", "", "`repository:samples/nginx` is not a scope yet."],
  ["a name that is wrong", READ, "repository:Samples:pull", "", "`repository:Samples:pull` is not a scope yet."],
  ["two maps that differ", READ + BOTH + PUSH, "", "Can't tell yet", "`writer` allows this, but `reader` doesn't."],
  ["two maps", READ + BOTH, "", "", "Which of these 2 scope maps does the token use?"],
  ["one map", BOTH, "", "", "`writer` can pull and push to `samples/nginx`."],
  [
    "a map with wildcards",
    map("wild", "*/content/read", "team/*/content/read", "team/*/content/write", "team/app/content/delete"),
    "",
    "",
    "`wild` can pull every repository, pull and push to everything below `team/` and pull, push to and delete from `team/app`.",
  ],
  ["a map that grants nothing", '{"name": "none", "actions": []}', "", "", "`none` grants nothing."],
  [
    "a map of which a part is known",
    "az acr scope-map update -r myregistry -n part --add-repository samples/nginx content/read",
    "",
    "",
    "`part` can at least pull `samples/nginx`.",
  ],
  [
    "Docker Hub",
    `${BOTH}docker push samples/nginx:v1\n`,
    "",
    "Can't tell yet",
    "The image has no registry name, so docker uses Docker Hub.",
  ],
  [
    "what was refused though it is allowed",
    `${BOTH + PUSH}denied: requested access to the resource is denied\n`,
    "",
    "Can't tell yet",
    "This should be allowed, but the registry refused it.",
  ],
  [
    "an error alone",
    "denied: requested access to the resource is denied\n",
    "",
    "",
    "This error doesn't say what was refused.",
  ],
  [
    "a login alone",
    "Error response from daemon: Get https://myserver.azurecr.io/v2/: unauthorized: authentication required\n",
    "",
    "Login failed",
    "The registry refused the login, so scope maps aren't the cause.",
  ],
  [
    "a login and a push",
    PUSH + LOGIN,
    "",
    "Login failed",
    "The registry refused the login, so scope maps aren't the cause.",
  ],
  ["a token", held(-10, "pull"), "", "", "This token can pull `samples/nginx`."],
  ["a token that has ended", held(-6000, "pull"), "", "", "Registries reject the token: expired 1 hour ago."],
  ["a token without rights", held(-10), "", "", "This token grants nothing."],
  ["a token's push", held(-10, "pull") + PUSH, "", "Denied", "The pasted token can't push to `samples/nginx`."],
  [
    "a token's pull",
    held(-10, "pull"),
    "repository:samples/nginx:pull",
    "Allowed",
    "The pasted token can pull `samples/nginx`.",
  ],
  ["repositories alone", "team/app\nteam/web\n", "", "", "2 repositories, and no scope map yet."],
  ["what is not understood", "!!", "", "", "There is no answer to this yet."],
];

test.each(cards)("%s", (_, pasted, scope, word, headline) => {
  const card = cardFor(pasted, scope);
  expect([card.word, card.headline]).toEqual([word, headline]);
});

/** Rights in words, with the scopes that they are. */
const rights: [string[], string][] = [
  [[], ""],
  [["repository:a:pull"], "pull `a`"],
  [["repository:a:pull,push", "repository:b:pull,push"], "pull and push to `a` and `b`"],
  [["repository:a:fly"], "use `repository:a:fly`"],
  [
    Array.from({ length: 9 }, (_, index) => `repository:r${index}:pull`),
    "pull `r0`, `r1`, `r2`, `r3`, `r4` and 4 more",
  ],
];

test.each(rights)("rights in words: %j", (scopes, said) => {
  expect(rightsOf(scopes)).toBe(said);
});

/** Where texts are divided. */
const texts: [string, [string, string]][] = [
  ["this is so: look there", ["this is so", "look there"]],
  ["`repository:a:pull; x` is not: why", ["`repository:a:pull; x` is not", "why"]],
  ["one thing", ["one thing", ""]],
];

test.each(texts)("the first statement of %j", (text, parts) => {
  expect(divided(text)).toEqual(parts);
});

test("sentences begin with a capital letter, and end", () => {
  expect(["did you?", "so", "`a` is"].map(sentence)).toEqual(["Did you?", "So.", "`a` is."]);
});
