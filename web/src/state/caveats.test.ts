/** What the rules do not tell: a wrong "allowed" is the worst that the page could say. */

import { createRoot } from "solid-js";
import { expect, test } from "vitest";
import { createHistory } from "./history";
import { createPaste, type Paste } from "./paste";
import { createPlayground, type Playground } from "./playground";

const both = ["content/read", "content/write"];

function map(name: string, ...permissions: string[]): string {
  const id = `/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/myregistry/scopeMaps/${name}`;
  return JSON.stringify({ id, name, actions: permissions.map((permission) => `repositories/team/app/${permission}`) });
}

const push = "docker push myregistry.azurecr.io/team/app:1.2";

function jwt(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "ES256", typ: "JWT" })}.${part(claims)}.${"c2lnbmF0dXJl".padEnd(86, "A")}`;
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
    credentials: { passwords: [{ name: "password1", expiry: null }], username: "ci" },
  });

const cases: [string, string[], string, string][] = [
  ["a push that the map allows", [map("ci-map", ...both), push], "allowed", ""],
  ["a token that holds it", [access(["pull", "push"], -10, 600), push], "allowed", ""],
  ["a token that holds less than the map", [map("ci-map", ...both), push, access(["pull"], -10, 600)], "denied", ""],
  [
    "a token that holds more than the map",
    [map("ci-map", "content/read"), push, access(["pull", "push"], -10, 600)],
    "unsure",
    "clients that get a new token will be refused",
  ],
  [
    "a token that holds more than one of the maps",
    [`${map("ci-map", ...both)}\n${map("two-map", "content/read")}`, push, access(["pull", "push"], -10, 600)],
    "unsure",
    "clients that get a new token may be refused",
  ],
  [
    "a token that holds more than is known of the map",
    [
      'az acr scope-map update -r myregistry -n ci-map --add-repository "$APP" content/write',
      push,
      access(["pull", "push"], -10, 600),
    ],
    "unsure",
    "clients that get a new token may be refused",
  ],
  ["a token that has ended", [access(["pull", "push"], -600, -120), push], "denied", "expired 2 minutes ago"],
  ["a token that is not valid yet", [access(["pull", "push"], 120, 600), push], "denied", "not valid yet"],
  [
    "a token for another registry",
    [access(["pull", "push"], -10, 600, "other.example"), push],
    "denied",
    "other.example",
  ],
  ["a refresh token", [jwt({ grant_type: "refresh_token", exp: 9e9 }), push], "denied", "refresh token"],
  ["token disabled", [map("ci-map", ...both), token("ci-map", "disabled"), push], "denied", "disabled"],
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
    "no single scope map allows this",
  ],
  ["no map", [push], "unsure", "to see what this token has now"],
  [
    "a refusal that the map does not explain",
    [map("ci-map", ...both), `${push}\ndenied: requested access to the resource is denied\n`],
    "unsure",
    "but the registry refused it",
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

const hello = map("ci-map", ...both);
const pull = "docker pull myregistry.azurecr.io/team/app:1.2";
const challenge = (registry: string, more = "") =>
  `WWW-Authenticate: Bearer realm="https://${registry}/oauth2/token",service="${registry}",scope="repository:team/app:pull"${more}`;
const other = (text: string) => text.replaceAll("myregistry", "other");
const body = JSON.stringify({
  errors: [
    {
      code: "UNAUTHORIZED",
      message: "authentication required",
      detail: [{ Type: "repository", Name: "team/app", Action: "pull" }],
    },
  ],
});
const expired = JSON.stringify({
  name: "ci",
  scopeMapId:
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/myregistry/scopeMaps/ci-map",
  credentials: { passwords: [{ name: "password1", expiry: "2020-01-01T00:00:00Z" }] },
});

/** What looks allowed and is not, or not for certain, all in one paste. */
const traps: [string, string, string, string][] = [
  [
    "another map is made for the token",
    `${hello}\naz acr token create -n T -r myregistry --scope-map _repositories_pull\n${push}`,
    "denied",
    "",
  ],
  [
    "another map is made",
    `${hello}\naz acr scope-map create -n Other -r myregistry --repository foo content/read\n${pull}`,
    "unsure",
    "`ci-map` allows this, but `Other` doesn't",
  ],
  [
    "another map is changed",
    `${hello}\naz acr scope-map update -n Other -r myregistry --add-repository foo content/read\n${pull}`,
    "unsure",
    "`Other` doesn't",
  ],
  [
    "a token gets a map of its own",
    `${hello}\naz acr token create -n T -r myregistry --repository foo content/read\n${pull}`,
    "denied",
    "",
  ],
  [
    "a token gets a map that is not here",
    `${hello}\naz acr token create -n T -r myregistry --scope-map Foo\n${pull}`,
    "unsure",
    "`Foo`, which isn't here",
  ],
  [
    "a token is disabled",
    `${hello}\naz acr token update -n T -r myregistry --status disabled\n${pull}`,
    "denied",
    "disabled",
  ],
  [
    "a token is given another map",
    `${hello}\naz acr token update -n T -r myregistry --scope-map Foo\n${pull}`,
    "unsure",
    "`Foo`",
  ],
  ["an image of another registry alone", `${hello}\nother.azurecr.io/team/app:v1`, "unsure", "other.azurecr.io"],
  ["a challenge of another registry", `${hello}\n${challenge("other.azurecr.io")}`, "unsure", "other.azurecr.io"],
  [
    "a challenge that refuses",
    `${hello}\n${challenge("myregistry.azurecr.io", ',error="insufficient_scope"')}`,
    "unsure",
    "but the registry refused it",
  ],
  [
    "an error of another registry",
    `${hello}\nError response from daemon: Head "https://other.azurecr.io/v2/team/app/manifests/v1": unauthorized: authentication required`,
    "unsure",
    "other.azurecr.io",
  ],
  [
    "a token for another registry than the challenge's",
    `${access(["pull"], -10, 600, "other.azurecr.io")}\n${challenge("myregistry.azurecr.io")}`,
    "denied",
    "other.azurecr.io",
  ],
  ["unauthorized", `${hello}\n${pull}\nunauthorized: authentication required`, "unsure", "but it failed"],
  ["a body that refuses", `${hello}\n${pull}\n${body}`, "unsure", "but it failed"],
  [
    "a firewall",
    `${hello}\n${pull}\ndenied: client with IP '1.2.3.4' is not allowed access. Refer https://aka.ms/acr/firewall`,
    "unsure",
    "couldn't be reached",
  ],
  [
    "no network",
    `${hello}\n${pull}\nError response from daemon: Get "https://myregistry.azurecr.io/v2/": dial tcp: lookup myregistry.azurecr.io: no such host`,
    "unsure",
    "couldn't be reached",
  ],
  ["nothing of that name", `${hello}\n${pull}\nmanifest unknown`, "unsure", "nothing by that name"],
  [
    "a host with the same first label",
    `${hello}\ndocker pull myregistry.evil.com/team/app:v1`,
    "unsure",
    "myregistry.evil.com",
  ],
  ["no registry for podman", `${hello}\npodman pull team/app:v1`, "unsure", "podman uses another registry"],
  ["no registry for crane", `${hello}\ncrane digest team/app:v1`, "unsure", "crane uses another registry"],
  ["an invalid scope", `${hello}\nrepository:team/app:pull repository:UPPER:pull`, "incomplete", ""],
  [
    "a map of another registry",
    `${hello}\n${other(map("b-map", ...both)).replaceAll("team/app", "foo")}\ndocker pull myregistry.azurecr.io/foo:v1`,
    "denied",
    "",
  ],
  [
    "a map of another token",
    `${token("ci-map", "enabled")}\n${hello}\n${map("b-map", ...both).replaceAll("team/app", "foo")}\ndocker pull myregistry.azurecr.io/foo:v1`,
    "denied",
    "",
  ],
  [
    "a token of another registry",
    `${other(token("ci-map", "enabled"))}\n${hello}\n${pull}`,
    "unsure",
    "belongs to `other`",
  ],
  ["a password that has expired", `${expired}\n${hello}\n${pull}`, "denied", "has no valid password"],
  [
    "the command that failed, and another one after it",
    `${hello}\ndocker push myregistry.azurecr.io/team/web:v1\ndenied: requested access to the resource is denied\n${pull}`,
    "denied",
    "",
  ],
  [
    "a token that is cut",
    `${access(["pull"], -10, 600).split(".").slice(0, 2).join(".")}\n${pull}`,
    "denied",
    "incomplete",
  ],
  [
    "az asks another registry",
    `${hello}\naz acr repository show-tags -n other --repository team/app`,
    "unsure",
    "belongs to `myregistry`",
  ],
  [
    "a copy from another registry",
    `${hello}\nskopeo copy docker://docker.io/library/alpine:3 docker://myregistry.azurecr.io/team/app:v1`,
    "allowed",
    "",
  ],
  [
    "a copy to another registry",
    `${hello}\nskopeo copy docker://myregistry.azurecr.io/team/app:v1 docker://other.azurecr.io/x:v1`,
    "allowed",
    "",
  ],
  [
    "a copy into a file",
    `${hello}\nskopeo copy docker://myregistry.azurecr.io/team/app:v1 docker-archive:x.tar`,
    "allowed",
    "",
  ],
  [
    "a copy from a file",
    `${hello}\nskopeo copy docker-daemon:alpine:3 docker://myregistry.azurecr.io/team/web:v1`,
    "denied",
    "",
  ],
  [
    "a map whose command names a repository by a variable",
    `az acr scope-map create -n ci-map -r myregistry --repository $REPO content/read\n${pull}`,
    "unsure",
    "may have more rules",
  ],
  [
    "what a variable stands for is removed",
    `${hello}\naz acr scope-map update -n ci-map -r myregistry --remove-repository $REPO content/read\n${pull}`,
    "unsure",
    "the current rules of the scope map `ci-map` aren't certain",
  ],
  [
    "what az refuses is removed",
    `${hello}\naz acr scope-map update -n ci-map -r myregistry --remove-repositories team/app content/read\n${pull}`,
    "unsure",
    "aren't certain",
  ],
  [
    "a map is changed that nobody has seen",
    `az acr scope-map update -n ci-map -r myregistry --add-repository foo content/read\n${pull}`,
    "unsure",
    "may have more rules",
  ],
  [
    "the registry is deleted",
    `${hello}\naz acr delete -n myregistry -y\n${pull}`,
    "unsure",
    "to see what this token has now",
  ],
  [
    "a token is disabled, and its password made anew",
    `${hello}\naz acr token update -n T -r myregistry --status disabled\naz acr token credential generate -n T -r myregistry\n${pull}`,
    "denied",
    "disabled",
  ],
  [
    "a password is deleted, and nobody knows of another",
    `${hello}\naz acr token credential delete -n T -r myregistry --password1\n${pull}`,
    "unsure",
    "isn't known",
  ],
  [
    "a password ends at a time that is computed",
    `${hello}\naz acr token create -n T -r myregistry --scope-map ci-map --expiration "$(date -d '+1 day')"\n${pull}`,
    "unsure",
    "isn't known",
  ],
  [
    "a repository is locked against writing, and is deleted",
    `${map("ci-map", "content/read", "content/delete", "metadata/read")}\naz acr repository update -n myregistry --repository team/app --write-enabled false\naz acr repository delete -n myregistry --repository team/app -y`,
    "denied",
    "--write-enabled true",
  ],
  [
    "a lock that a variable sets",
    `${hello}\naz acr repository update -n myregistry --repository team/app --read-enabled $READ\n${pull}`,
    "unsure",
    "may be locked",
  ],
  [
    "a manifest is locked, which may have the tag",
    `${hello}\naz acr repository update -n myregistry --image team/app@sha256:${"a".repeat(64)} --read-enabled false\n${pull}`,
    "unsure",
    "locked against reading",
  ],
  [
    "a lock of another registry",
    `${hello}\naz acr repository update -n other --repository team/app --read-enabled false\n${pull}`,
    "allowed",
    "",
  ],
  [
    "the registry says that it is locked",
    `${hello}\n${pull}\nunknown: The operation is disallowed.`,
    "unsure",
    "--write-enabled true",
  ],
  [
    "a plan that destroys the map",
    `${hello}\n  - resource "azurerm_container_registry_scope_map" "a" {\n      - name = "ci-map" -> null\n    }\n${pull}`,
    "unsure",
    "to see what this token has now",
  ],
  [
    "a map in a diff without a head",
    `+ repositories/team/app/metadata/read\n- repositories/team/app/content/read\n${pull}`,
    "denied",
    "",
  ],
  [
    "a token of Terraform with a map that is elsewhere",
    `resource "azurerm_container_registry_scope_map" "a" {\n  name = "a"\n  actions = ["${"repositories/team/app/content/read"}"]\n}\nresource "azurerm_container_registry_token" "t" {\n  name = "t"\n  scope_map_id = azurerm_container_registry_scope_map.b.id\n}\n${pull}`,
    "unsure",
    "uses scope map `b`",
  ],
  [
    "a password of Terraform that ends at a time that is computed",
    `${hello}\nresource "azurerm_container_registry_token_password" "p" {\n  password1 {\n    expiry = timeadd(timestamp(), "1h")\n  }\n}\n${pull}`,
    "unsure",
    "isn't known",
  ],
  [
    "a map is put anew by the management API",
    `${hello}\naz rest --method put --uri /registries/myregistry/scopeMaps/ci-map --body '{"properties":{"actions":["repositories/team/app/metadata/read"]}}'\n${pull}`,
    "denied",
    "",
  ],
  [
    "a map is put anew from a file",
    `${hello}\naz rest --method put --uri /registries/myregistry/scopeMaps/ci-map --body @map.json\n${pull}`,
    "unsure",
    "aren't certain",
  ],
  [
    "a cmdlet takes the map away",
    `${hello}\nRemove-AzContainerRegistryScopeMap -Name ci-map -RegistryName myregistry -ResourceGroupName g\n${pull}`,
    "unsure",
    "to see what this token has now",
  ],
  [
    "a cmdlet disables the token",
    `${hello}\nUpdate-AzContainerRegistryToken -Name T -RegistryName myregistry -Status Disabled\n${pull}`,
    "denied",
    "disabled",
  ],
  [
    "a cmdlet fails to take the map away",
    `${hello}\nPS C:\\> Remove-AzContainerRegistryScopeMap -Name ci-map -RegistryName myregistry\nRemove-AzContainerRegistryScopeMap : Forbidden\nPS C:\\> ${pull}`,
    "allowed",
    "",
  ],
  [
    "rules that nobody has named, and a map that is made with others",
    `["repositories/team/app/content/read"]\naz acr scope-map create -n ci-map -r myregistry --repository foo content/read\n${pull}`,
    "unsure",
    "`ci-map` doesn't",
  ],
  [
    "a map that az does not make, because another permission is none",
    `az acr scope-map create -n ci-map -r myregistry --repository team/app content/read content/wirte\n${pull}`,
    "unsure",
    "to see what this token has now",
  ],
  [
    "a lock that may have failed",
    `${hello}\naz acr repository update -n myregistry --repository team/app --read-enabled false\nConflict\n${pull}`,
    "unsure",
    "may be locked",
  ],
  [
    "rules in comments of other languages",
    `repositories/team/app/metadata/read\n; repositories/team/app/content/read\n-- repositories/team/app/content/read\n${pull}`,
    "denied",
    "",
  ],
  ["a map that is shown again and has less", `${hello}\n${map("ci-map", "metadata/read")}\n${pull}`, "denied", ""],
  [
    "a map that is shown after it was changed",
    `az acr scope-map update -n ci-map -r myregistry --add-repository team/app content/read\n${map("ci-map", "metadata/read")}\n${pull}`,
    "denied",
    "",
  ],
  [
    "a map that is changed after it was shown",
    `${map("ci-map", "content/read")}\naz acr scope-map update -n ci-map -r myregistry --remove-repository team/app content/read\n${pull}`,
    "denied",
    "",
  ],
  [
    "a map that is made and shown after another was deleted",
    `az acr scope-map delete -n ci-map -r myregistry -y\n${hello}\n${pull}`,
    "allowed",
    "",
  ],
  [
    "a token whose map is a variable",
    `resource "azurerm_container_registry_token" "t" {\n  name = "t"\n  scope_map_id = var.map\n}\n${hello}\n${pull}`,
    "unsure",
    "computed from values that aren't here",
  ],
  [
    "a token whose map a template computes",
    `{"type": "Microsoft.ContainerRegistry/registries/tokens", "name": "t", "properties": {"scopeMapId": "[parameters('map')]"}}\n${hello}\n${pull}`,
    "unsure",
    "computed from values that aren't here",
  ],
  [
    "a map that is made under a condition",
    `param on bool\nresource a 'Microsoft.ContainerRegistry/registries/scopeMaps@2023-07-01' = if (on) {\n  name: 'myregistry/a'\n  properties: { actions: [ 'repositories/team/app/content/read' ] }\n}\n${pull}`,
    "unsure",
    "aren't certain",
  ],
  [
    "a map that is made as often as a variable says",
    `resource "azurerm_container_registry_scope_map" "a" {\n  count = var.on ? 1 : 0\n  name = "a"\n  actions = ["${"repositories/team/app/content/read"}"]\n}\n${pull}`,
    "unsure",
    "aren't certain",
  ],
  [
    "a map for each of two",
    `resource "azurerm_container_registry_scope_map" "a" {\n  for_each = toset(["a", "b"])\n  name = each.key\n  actions = ["${"repositories/team/app/content/read"}"]\n}\n${pull}`,
    "allowed",
    "",
  ],
  [
    "the values for a file of Bicep",
    `using './main.bicep'\nparam actions = [\n  'repositories/team/app/content/read'\n]\n${pull}`,
    "unsure",
    "to see what this token has now",
  ],
  [
    "a status that was asked for alone",
    `${hello}\n$ az acr token show -n t -r myregistry --query status -o tsv\ndisabled\n$ ${pull}`,
    "denied",
    "disabled",
  ],
  [
    "the map of a token that was asked for alone",
    `${hello}\n$ az acr token show -n t -r myregistry --query scopeMapId\n"/registries/myregistry/scopeMaps/other"\n$ ${pull}`,
    "unsure",
    "other",
  ],
  [
    "an attribute that was asked for alone",
    `${hello}\n$ az acr repository show -n myregistry --image team/app:1.2 --query changeableAttributes.readEnabled -o tsv\nfalse\n$ ${pull}`,
    "denied",
    "--read-enabled true",
  ],
  [
    "the attributes that were asked for alone",
    `${hello}\n$ az acr repository show -n myregistry --image team/app:1.2 --query changeableAttributes\n{"deleteEnabled": true, "listEnabled": true, "readEnabled": false, "writeEnabled": true}\n$ ${pull}`,
    "denied",
    "--read-enabled true",
  ],
  [
    "a token in a table",
    `${hello}\nNAME    SCOPE MAP    PASSWORD1 EXPIRY    PASSWORD2 EXPIRY    STATUS    PROVISIONING STATE\n------  -----------  ------------------  ------------------  --------  --------------------\nt       ci-map       Never                                   Disabled  Succeeded\n${pull}`,
    "denied",
    "disabled",
  ],
  [
    "a token in a table whose passwords have ended",
    `${hello}\nNAME    SCOPE MAP    PASSWORD1 EXPIRY      PASSWORD2 EXPIRY    STATUS    PROVISIONING STATE\n------  -----------  --------------------  ------------------  --------  --------------------\nt       ci-map       2020-01-01T00:00:00Z                      Enabled   Succeeded\n${pull}`,
    "denied",
    "has no valid password",
  ],
  [
    "a locked tag, and its repository that is not",
    `${hello}\naz acr repository update -n myregistry --image team/app:1.2 --read-enabled false\n{"changeableAttributes": {"deleteEnabled": true, "listEnabled": true, "readEnabled": true, "writeEnabled": true}, "imageName": "team/app", "registry": "myregistry.azurecr.io"}\n${pull}`,
    "denied",
    "locked against reading",
  ],
  [
    "a script that speaks of failures",
    `${hello}\naz acr scope-map update -n ci-map -r myregistry --add-repository foo content/read\necho "this cannot fail"\n${pull}`,
    "allowed",
    "",
  ],
  [
    "a command that may be a comment",
    `# az acr scope-map create -n ci-map -r myregistry --repository team/app content/read\n${pull}`,
    "unsure",
    "to see what this token has now",
  ],
  [
    "a lock in a registry that a variable names",
    `${hello}\naz acr repository update -n $ACR --repository team/app --read-enabled false\n${pull}`,
    "denied",
    "locked against reading",
  ],
  [
    "a lock of an image that a variable names",
    `${hello}\naz acr repository update -n myregistry --image $IMAGE --read-enabled false\n${pull}`,
    "unsure",
    "locked against reading",
  ],
  [
    "the command that locks",
    `${map("ci-map", "metadata/read", "metadata/write")}\naz acr repository update -n myregistry --image team/app:1.2 --write-enabled false`,
    "allowed",
    "",
  ],
  [
    "a map is deleted that a variable names",
    `${hello}\naz acr scope-map delete -n "$MAP" -r myregistry -y\n${pull}`,
    "unsure",
    "aren't certain",
  ],
  [
    "a token is deleted that a variable names",
    `${hello}\naz acr token create -n t -r myregistry --scope-map ci-map\naz acr token delete -n "$TOKEN" -r myregistry -y\n${pull}`,
    "unsure",
    "isn't known",
  ],
  [
    "a token of a variable is deleted, and it was made by the same",
    `${hello}\naz acr token create -n $T -r myregistry --scope-map ci-map\naz acr token delete -n $T -r myregistry -y\n${pull}`,
    "denied",
    "deleted",
  ],
  [
    "a system map by its name",
    `az acr token create -n T1 -r myregistry --scope-map _repositories_pull\n${pull}`,
    "allowed",
    "",
  ],
];

for (const [name, text, verdict, caveat] of traps) {
  test(name, () => {
    createRoot((dispose) => {
      const playground = createPlayground();
      createPaste(playground).write(text);
      const answer = playground.answer();
      const given = answer.kind === "answer" ? answer : null;
      const caveats = given?.caveats.map((each) => each.text).join("\n") ?? "";
      expect([given?.verdict ?? answer.kind, caveats.includes(caveat) ? caveat : caveats]).toEqual([verdict, caveat]);
      dispose();
    });
  });
}

const named = (registry: string, rule: string) =>
  JSON.stringify({ id: `/registries/${registry}/scopeMaps/ci-map`, name: "ci-map", actions: [rule] });
const read = "repositories/team/app/content/read";
const refusedLogin =
  'Error response from daemon: Get "https://myregistry.azurecr.io/v2/": unauthorized: invalid username/password';
const refusedPull = `${pull}\ndenied: requested access to the resource is denied\n`;

/** What happens one after the other, and what is answered then. */
const stories: [
  string,
  (playground: Playground, write: (text: string) => void, paste: Paste) => void,
  string,
  string,
][] = [
  [
    "a rule is added after a login was refused",
    (playground, write) => {
      write(`${refusedLogin}\n${hello}\n${pull}`);
      playground.write(0, [...(playground.model.maps[0]?.actions ?? []), "repositories/x/content/read"]);
    },
    "unsure",
    "the registry refused the login",
  ],
  [
    "a rule is added after a refusal, and taken back",
    (playground, write, paste) => {
      write(`${hello}\n${refusedPull}`);
      const history = createHistory(playground, paste);
      playground.write(0, [...(playground.model.maps[0]?.actions ?? []), "repositories/x/content/read"]);
      history.undo();
    },
    "unsure",
    "but the registry refused it",
  ],
  [
    "the same error once more after the fix",
    (playground, write) => {
      write(`${map("ci-map")}\n${refusedPull}`);
      playground.write(0, [read]);
      write(`${map("ci-map")}\n${refusedPull}${refusedPull}`);
    },
    "unsure",
    "but the registry refused it",
  ],
  [
    "the same text once more after the fix",
    (playground, write) => {
      write(refusedPull);
      playground.write(0, [read]);
      write(refusedPull);
    },
    "unsure",
    "but the registry refused it",
  ],
  [
    "a token that the registry has refused",
    (_, write) => {
      write(access(["pull"], -10, 600));
      write(`${access(["pull"], -10, 600)}\n${challenge("myregistry.azurecr.io", ',error="invalid_token"')}`);
    },
    "unsure",
    "the registry refused the login",
  ],
  [
    "a token of another registry's map of that name",
    (_, write) => {
      write(
        `[${named("myregistry", read)}, ${named("other", "repositories/x/content/read")}]\n${other(token("ci-map", "enabled"))}\n${pull}`,
      );
    },
    "unsure",
    "belongs to `other`",
  ],
  [
    "half a command that changes a map",
    (_, write) => {
      const text = `${map("ci-map")}\naz acr scope-map update -n ci-map -r myregistry --add-repository team/app content/read`;
      for (let end = text.length - 30; end <= text.length; end += 1) write(text.slice(0, end));
      for (let end = text.length; end >= text.length - 13; end -= 1) write(text.slice(0, end));
      write(`${text.slice(0, -13)}\n${pull}`);
    },
    "denied",
    "",
  ],
  [
    "an option that is typed letter by letter",
    (_, write) => {
      const text = `${hello}\naz acr token update -n t -r myregistry --scope-map ci-map\n`;
      for (let end = text.length - 60; end <= text.length; end += 1) write(text.slice(0, end));
      write(`${text}${pull}`);
    },
    "allowed",
    "",
  ],
  [
    "a removal that is typed letter by letter, and taken back",
    (_, write) => {
      const text = `${hello}\naz acr scope-map update -n ci-map -r myregistry --remove-repository team/app content/read`;
      for (let end = hello.length; end <= text.length; end += 1) write(text.slice(0, end));
      for (let end = text.length; end >= hello.length; end -= 1) write(text.slice(0, end));
      write(`${hello}\n${pull}`);
    },
    "allowed",
    "",
  ],
  [
    "the error of a command is pasted after it",
    (_, write) => {
      const made = "$ az acr scope-map create -n ci-map -r myregistry --repository team/app content/read\n";
      write(made);
      write(`${made}ERROR: (LimitExceeded) Too many scope maps.\n`);
      write(`${made}ERROR: (LimitExceeded) Too many scope maps.\n$ ${pull}`);
    },
    "unsure",
    "to see what this token has now",
  ],
  [
    "the error of a command that takes away is pasted after it",
    (_, write) => {
      const removed = `${hello}\n$ az acr token update -n t -r myregistry --status disabled\n`;
      write(removed);
      write(`${removed}ERROR: (AuthorizationFailed) The client has no authorization.\n`);
      write(`${removed}ERROR: (AuthorizationFailed) The client has no authorization.\n$ ${pull}`);
    },
    "allowed",
    "",
  ],
  [
    "a login that is typed letter by letter",
    (_, write) => {
      const deleted = `${hello}\naz acr token delete -n t-long -r myregistry -y\n`;
      const login = "docker login myregistry.azurecr.io -u t-long";
      write(deleted);
      for (let end = 1; end <= login.length; end += 1) write(deleted + login.slice(0, end));
      write(`${deleted}${login}\n${pull}`);
    },
    "denied",
    "was deleted",
  ],
  [
    "half the name of a registry",
    (_, write) => {
      const text = `${read}\naz acr manifest list-metadata -r myregistry -n team/app`;
      for (let end = text.length - 30; end <= text.length; end += 1) write(text.slice(0, end));
      write(`${text}\n${pull}`);
    },
    "allowed",
    "",
  ],
  [
    "an image of a well-known registry",
    (_, write) => write(`${hello}\ndocker pull docker.io/library/nginx`),
    "unsure",
    "docker.io",
  ],
  [
    "rules of an unknown registry, and such an image",
    (_, write) => write(`${read}\ndocker pull ghcr.io/team/app:v1`),
    "unsure",
    "ghcr.io",
  ],
  [
    "a host in other letters",
    (_, write) => write(`${access(["pull"], -10, 600)}\n${pull.replace("myregistry", "MyRegistry")}`),
    "allowed",
    "",
  ],
  [
    "a token that is cut in its signature",
    (_, write) => write(`${access(["pull"], -10, 600).slice(0, -9)}\n${pull}`),
    "denied",
    "incomplete",
  ],
  [
    "an identity logs in",
    (_, write) => write(`${hello}\naz acr login -n myregistry\n${pull}`),
    "unsure",
    "Azure roles decide",
  ],
  [
    "a token without a password",
    (_, write) => {
      write(`${hello}\n${token("ci-map", "enabled").replace('{"name":"password1","expiry":null}', "")}\n${pull}`);
    },
    "denied",
    "has no valid password",
  ],
  [
    "a token whose text is gone",
    (_, write) => {
      write(`${token("ci-map", "disabled")}\n${hello}\n${pull}`);
      write(`${hello}\n${pull}`);
    },
    "allowed",
    "",
  ],
  [
    "time runs out",
    (_, write) =>
      write(
        `${hello}\n${pull}\nError response from daemon: Get "https://myregistry.azurecr.io/v2/": context deadline exceeded`,
      ),
    "unsure",
    "couldn't be reached",
  ],
  [
    "a login of another token",
    (_, write) => write(`${hello}\n${token("ci-map", "disabled")}\ndocker login myregistry.azurecr.io -u dev\n${pull}`),
    "allowed",
    "",
  ],
];

for (const [name, tell, verdict, caveat] of stories) {
  test(name, () => {
    createRoot((dispose) => {
      const playground = createPlayground();
      const paste = createPaste(playground);
      tell(playground, paste.write, paste);
      const answer = playground.answer();
      const given = answer.kind === "answer" ? answer : null;
      const caveats = given?.caveats.map((each) => each.text).join("\n") ?? "";
      expect([given?.verdict ?? answer.kind, caveats.includes(caveat) ? caveat : caveats]).toEqual([verdict, caveat]);
      dispose();
    });
  });
}

/** The addresses that a registry may have, and the fix that stays. */
test("a registry at an address of its own", () => {
  for (const [host, verdict, caveat] of [
    ["localhost:5000", "denied", "is another address of `myregistry`"],
    ["registry.example", "denied", "is another address of `myregistry`"],
    ["myregistry-a1b2.azurecr.io", "denied", ""],
    ["myregistry2.azurecr.io", "unsure", "belongs to `myregistry`"],
  ] as const) {
    createRoot((dispose) => {
      const playground = createPlayground();
      createPaste(playground).write(`${map("ci-map", "content/read")}\n\ndocker push ${host}/team/app:1.2`);
      const answer = playground.answer();
      const given = answer.kind === "answer" ? answer : null;
      expect([host, given?.verdict === "partly" ? "denied" : given?.verdict]).toEqual([host, verdict]);
      expect(given?.caveats.map(({ text }) => text).join("\n")).toContain(caveat);
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
    expect(answer.kind === "answer" && [answer.verdict, answer.caveats]).toEqual(["allowed", []]);
    dispose();
  });
});

for (const [name, texts, verdict, caveat] of cases) {
  test(name, () => {
    createRoot((dispose) => {
      const playground = createPlayground();
      const paste = createPaste(playground);
      for (const index of texts.keys()) paste.write(texts.slice(0, index + 1).join("\n\n"));
      const answer = playground.answer();
      const given = answer.kind === "answer" ? answer : null;
      expect(given?.verdict).toBe(verdict);
      expect(given?.caveats.map(({ text }) => text).join("\n")).toContain(caveat);
      dispose();
    });
  });
}
