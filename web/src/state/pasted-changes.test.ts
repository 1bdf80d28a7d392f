/** What each kind of part changes, without a page. */

import { expect, test } from "vitest";
import { recognise } from "../recognise";
import { type Change, pastedChanges } from "./pasted-changes";

const PUSH = "docker push contoso.azurecr.io/team/app:v1";
const SCOPE_MAP = '{"name": "ci", "actions": ["repositories/team/app/content/read"]}';
const TOKEN =
  '{"name": "ci", "status": "disabled", "scopeMapId": "/registries/contoso/scopeMaps/ci", "credentials": {}}';
const BODY =
  '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":[{"Type":"repository","Class":"","Name":"team/app","Action":"pull"}]}]}';
const challenge = (more = "") =>
  `WWW-Authenticate: Bearer realm="https://contoso.azurecr.io/oauth2/token",service="contoso.azurecr.io",scope="repository:team/app:pull"${more}`;

/** A text, and what its parts change. */
const cases: [string, string, string[]][] = [
  ["unknown format", "!!", []],
  ["a scope map, which is put beside the others", SCOPE_MAP, []],
  [
    "a command",
    PUSH,
    ["registry contoso", "repositories team/app", "ask docker-push contoso.azurecr.io team/app", "panel client"],
  ],
  [
    "a command of a registry that is not in Azure",
    "docker push ghcr.io/team/app:v1",
    ["repositories team/app", "ask docker-push ghcr.io team/app", "panel client"],
  ],
  [
    "a copy inside of one registry",
    "skopeo copy docker://contoso.azurecr.io/a:v1 docker://contoso.azurecr.io/b:v1",
    ["registry contoso", "repositories b", "ask skopeo-copy contoso.azurecr.io b", "panel client"],
  ],
  [
    "a copy between two registries",
    "skopeo copy docker://contoso.azurecr.io/a:v1 docker://fabrikam.azurecr.io/b:v1",
    [
      "copy contoso fabrikam",
      "pull: registry contoso",
      "pull: repositories a",
      "pull: ask skopeo-pull contoso.azurecr.io a",
      "pull: panel client",
      "push: registry fabrikam",
      "push: repositories b",
      "push: ask skopeo-push fabrikam.azurecr.io b",
      "push: panel client",
    ],
  ],
  [
    "a copy to a folder",
    "skopeo copy docker://contoso.azurecr.io/a:v1 dir:/tmp/a",
    ["registry contoso", "repositories a", "ask skopeo-pull contoso.azurecr.io a", "panel client"],
  ],
  [
    "a login",
    "docker login contoso.azurecr.io -u ci",
    ["registry contoso", "login ci", "ask docker-login contoso.azurecr.io", "panel client"],
  ],
  [
    "a change of a map",
    "az acr scope-map update -n ci -r contoso --add-repository a content/read",
    ["registry contoso", "map-command ci contoso"],
  ],
  ["a command that prints a map", "az acr scope-map show -n ci -r contoso", ["registry contoso"]],
  ["a scope", "repository:team/app:pull", ["ask repository:team/app:pull", "repositories team/app"]],
  [
    "an image",
    "contoso.azurecr.io/team/app:v1",
    ["registry contoso", "ask repository:team/app:pull of contoso.azurecr.io", "repositories team/app"],
  ],
  ["repositories", "team/app\nteam/web", ["repositories team/app team/web"]],
  [
    "a challenge",
    challenge(),
    ["registry contoso", "ask repository:team/app:pull of contoso.azurecr.io", "repositories team/app"],
  ],
  [
    "a challenge that refuses a token",
    challenge(',error="insufficient_scope"'),
    [
      "registry contoso",
      "report denied repository:team/app:pull",
      "ask repository:team/app:pull of contoso.azurecr.io",
      "repositories team/app",
    ],
  ],
  ["the body of a refusal", BODY, ["refusal repository:team/app:pull"]],
  [
    "an error that names a repository",
    "Error response from daemon: pull access denied for contoso.azurecr.io/team/app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    [
      "registry contoso",
      "error team/app",
      "of command: report denied repository:team/app:pull",
      "alone: report denied repository:team/app:pull",
      "alone: ask repository:team/app:pull of contoso.azurecr.io",
      "alone: repositories team/app",
    ],
  ],
  ["a token of a registry", TOKEN, ["token ci"]],
  ["assertions", '{"scopeMaps": [], "assertions": [{"allow": "repository:a:pull"}]}', ["assertions 1"]],
];

test.each(cases)("%s", (_, text, changes) => {
  expect(recognise(text).flatMap(({ found }) => pastedChanges(found).flatMap(written))).toEqual(changes);
});

test("a command that is not what is asked about asks nothing", () => {
  const [part] = recognise(PUSH);
  expect(part && pastedChanges(part.found, false).flatMap(written)).toEqual([
    "registry contoso",
    "repositories team/app",
  ]);
});

test("a token has no signature", () => {
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signature = "c2lnbmF0dXJl".padEnd(86, "A");
  const [part] = recognise(`${encoded({ alg: "ES256", typ: "JWT" })}.${encoded({ access: [] })}.${signature}`);
  const [change] = part ? pastedChanges(part.found) : [];
  expect(change?.kind === "jwt" && change.token).toMatch(/^[\w-]+\.[\w-]+\.?…$/);
});

/** A change in a few words, and what is in it below. */
function written(change: Change): string[] {
  const within = (name: string, changes: Change[]) => changes.flatMap(written).map((text) => `${name}: ${text}`);
  switch (change.kind) {
    case "registry":
      return [`registry ${change.label}`];
    case "ask":
      return [asked(change.question)];
    case "report":
      return [`report ${change.reported?.meaning} ${change.reported?.asked}`.trim()];
    case "repositories":
      return [`repositories ${change.names.join(" ")}`];
    case "panel":
      return [`panel ${change.panel}`];
    case "login":
      return [`login ${change.name}`];
    case "map-command":
      return [`map-command ${change.change.scopeMap} ${change.registry}`];
    case "copy":
      return [`copy ${change.source} ${change.target}`, ...within("pull", change.pull), ...within("push", change.push)];
    case "error":
      return [
        `error ${change.repository}`,
        ...within("of command", change.ofCommand),
        ...within("alone", change.alone),
      ];
    case "refusal":
      return [`refusal ${change.required}`];
    case "token":
      return [`token ${change.token.name}`];
    case "assertions":
      return [`assertions ${change.file.assertions.length}`];
    default:
      return [change.kind];
  }
}

function asked(question: Extract<Change, { kind: "ask" }>["question"]): string {
  if (question.kind === "scope") return `ask ${question.text}${question.registry ? ` of ${question.registry}` : ""}`;
  const { registry, repository } = question.target;
  return `ask ${question.operation} ${registry} ${repository}`.trim();
}
