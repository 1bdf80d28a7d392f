/**
 * One field for anything: what is pasted or typed is recognised, put where it belongs, and
 * answered.
 */

import { expect, test } from "./page.ts";
import { paste } from "./playground.ts";
import { AZ_MAP, accessClaims, PUSH, token } from "./texts.ts";

const SENTENCE = "Can't push to samples/nginx: no rule covers it; closest rule: samples/hello-world";
const COMMAND =
  "az acr scope-map update --name MyScopeMap --registry myregistry --add-repository samples/nginx content/read content/write";

/**
 * What a newcomer does first: the line that failed and the map, in whatever order and however many
 * pieces.
 */
const newcomers: [string, string[]][] = [
  ["the error, then the map", [PUSH + AZ_MAP]],
  ["the map, then the error", [AZ_MAP + PUSH]],
  ["the error and then the map", [PUSH, AZ_MAP]],
  ["the map and then the error", [AZ_MAP, PUSH]],
];

for (const [name, pieces] of newcomers) {
  test(`a newcomer pastes ${name}`, async ({ playground }) => {
    for (const piece of pieces) await paste(playground.field, piece);
    await playground.says("Denied", SENTENCE, COMMAND);
    expect(await playground.copied(playground.answer.getByRole("button", { name: "copy the fix as az" }))).toBe(
      COMMAND,
    );
  });
}

test("a newcomer types it, and nothing stays of the half words", async ({ playground }) => {
  await playground.field.pressSequentially(PUSH + AZ_MAP);
  await playground.says("Denied", SENTENCE, COMMAND);
  expect(await playground.repositories()).toEqual([
    "samples/nginx",
    "samples/hello-world",
    "samples/hello-world/a",
    "a",
  ]);
});

test("a second paste in place of the first keeps what the first said", async ({ playground }) => {
  await playground.write(PUSH);
  await playground.write(AZ_MAP);
  await playground.says("Denied", SENTENCE, COMMAND);
});

const rule = "repositories/team/app/content/read";

/** A scope map in every form in which people have one. */
const maps: [string, string, string][] = [
  ["a list in JSON", `["${rule}"]`, "Scope map 1 rule"],
  ["a list in YAML", `- ${rule}\n`, "Scope map 1 rule"],
  ["lines", `${rule}\n`, "Scope map 1 rule"],
  [
    "az as YAML",
    `name: ci\nactions:\n- ${rule}\ntype: Microsoft.ContainerRegistry/registries/scopeMaps\n`,
    "Scope map ci, 1 rule",
  ],
  [
    "ARM",
    `{"name": "contoso/ci", "type": "Microsoft.ContainerRegistry/registries/scopeMaps", "apiVersion": "2023-07-01", "properties": {"actions": ["${rule}"]}}`,
    "Scope map ci, 1 rule",
  ],
  [
    "a template of ARM",
    `{"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0", "resources": [{"type": "Microsoft.ContainerRegistry/registries/scopeMaps", "apiVersion": "2023-07-01", "name": "contoso/ci", "properties": {"actions": ["${rule}"]}}]}`,
    "Scope map ci, 1 rule",
  ],
  [
    "Terraform",
    `resource "azurerm_container_registry_scope_map" "ci" {\n  name = "ci"\n  actions = [\n    "${rule}",\n  ]\n}\n`,
    "Scope map ci, 1 rule",
  ],
  [
    "the command that makes it",
    "az acr scope-map create -n ci -r contoso --repository team/app content/read",
    "az scope map create",
  ],
];

test("a scope map in every form", async ({ playground }) => {
  for (const [name, text, found] of maps) {
    await test.step(name, async () => {
      await playground.write(text);
      await expect(playground.found).toHaveText([found]);
      expect(await playground.rules()).toEqual([rule]);
      await playground.ask("repository:team/app:pull,push");
      await playground.says("Partly allowed", "Can't push to team/app");
    });
  }
});

const challenge =
  'Bearer realm="https://contoso.azurecr.io/oauth2/token",service="contoso.azurecr.io",scope="repository:team/app:pull"';

/** What asks a question, what is shown of it, and what is asked. */
const questions: [string, string, string, string][] = [
  ["a scope", "repository:team/app:pull,push", "1 scope", "repository:team/app:pull,push"],
  [
    "two scopes",
    "repository:team/app:pull repository:team/web:push",
    "2 scopes",
    "repository:team/app:pull repository:team/web:push",
  ],
  [
    "a challenge",
    `WWW-Authenticate: ${challenge}`,
    "WWW-Authenticate header requests repository:team/app:pull",
    "repository:team/app:pull",
  ],
  [
    "a challenge as curl shows it",
    `< www-authenticate: ${challenge}`,
    "WWW-Authenticate header requests repository:team/app:pull",
    "repository:team/app:pull",
  ],
  [
    "the body of a 401",
    '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":[{"Type":"repository","Class":"","Name":"team/app","Action":"pull"}]}]}',
    "401 response needs repository:team/app:pull",
    "repository:team/app:pull",
  ],
  ["an image", "contoso.azurecr.io/team/app:v1", "Image team/app", "repository:team/app:pull"],
];

test("what asks a question", async ({ playground }) => {
  for (const [name, text, found, asked] of questions) {
    await test.step(name, async () => {
      await playground.use(rule);
      await playground.write(text);
      await expect(playground.found).toHaveText([found]);
      await expect(playground.question).toHaveValue(asked);
      await expect(playground.cell("team/app", "pull")).toHaveAccessibleName("team/app pull: allowed");
    });
  }
});

/** Lines that clients print, and what is said. Without a map it is not known what is granted. */
const errors: [string, string, string, string][] = [
  [
    "docker",
    "Error response from daemon: pull access denied for contoso.azurecr.io/team/app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    "Access denied team/app",
    "needs content/read on team/app",
  ],
  [
    "kubelet",
    'Failed to pull image "contoso.azurecr.io/team/app:v1": failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized',
    "Login failed team/app",
    "The registry refused the login",
  ],
];

test("the errors of clients", async ({ playground }) => {
  for (const [name, text, found, said] of errors) {
    await test.step(name, async () => {
      await playground.write(text);
      await expect(playground.found.filter({ hasText: found })).toBeVisible();
      await expect(playground.answer).toHaveAttribute("data-verdict", "unsure");
      await expect(playground.answer).toContainText(said);
    });
  }
});

test("a command of az is simulated, and one that changes a map changes it", async ({ playground }) => {
  await playground.write("az acr repository show-tags -n contoso --repository team/app");
  await playground.says("Can't tell yet", "To see what this token has now", "needs metadata/read on team/app");
  await playground.write("az acr scope-map update -n ci -r contoso --add-repository team/app metadata/read");
  expect(await playground.rules()).toEqual(["repositories/team/app/metadata/read"]);
  await playground.says("Allowed");
});

test("a token is read, and its rights are looked at", async ({ playground }) => {
  await playground.write(token(accessClaims(Math.floor(Date.now() / 1000), ["team/app", "pull"])));
  await expect(playground.found).toHaveText(["Signed token decoded here; its signature is discarded"]);
  await playground.ask("repository:team/app:pull,push");
  await playground.says("Partly allowed", "The token can't push to team/app");
});

test("repositories fill the matrix", async ({ playground }) => {
  await playground.write("team/app\nteam/web\nbase/debian");
  await expect(playground.found).toHaveText(["3 repositories"]);
  expect(await playground.repositories()).toEqual(["team/app", "team/web", "base/debian"]);
});

/** What is not understood, and where it is said to be. */
const unknown: [string, string][] = [
  ["!!", "Not recognised at character 1. Unknown format."],
  ['{"actions": [', "Not recognised at character"],
  [`${rule}\n!!\n`, "Not recognised at character 36. Unknown format."],
  ["docker tag a b", "Not recognised at character 1. Not a known `docker` command for a registry."],
];

test("what is not understood, and where it is", async ({ playground }) => {
  for (const [text, said] of unknown) {
    await test.step(text, async () => {
      await playground.write(text);
      const chip = playground.found.filter({ hasText: "Not recognised" }).first();
      await expect(chip).toContainText(said.replaceAll("`", ""));
      await chip.getByRole("button").click();
      await expect(playground.field).toBeFocused();
    });
  }
});

test("pressing what was found marks it in the field", async ({ playground }) => {
  await playground.write(PUSH + AZ_MAP);
  await playground.found.filter({ hasText: "Scope map MyScopeMap" }).getByRole("button").click();
  const marked = await playground.page.evaluate(() => getSelection()?.toString());
  expect(marked).toBe(AZ_MAP.trimEnd());
});

test("a rule that was changed survives what is typed into the field afterwards", async ({ playground }) => {
  await playground.write(AZ_MAP);
  await playground.map.getByRole("button", { name: "remove repositories/samples/hello-world/content/write" }).click();
  await playground.map.getByRole("textbox", { name: "Add rules" }).fill("repositories/samples/*/metadata/read");
  await playground.map.getByRole("button", { name: "Add", exact: true }).click();
  const changed = ["repositories/samples/hello-world/content/read", "repositories/samples/*/metadata/read"];
  await playground.field.press("Control+End");
  await playground.field.pressSequentially("repository:samples/nginx:pull\n");
  await expect(playground.question).toHaveValue("repository:samples/nginx:pull");
  expect(await playground.rules()).toEqual(changed);
});

test("two maps of one paste are two, and a token has one of them", async ({ playground }) => {
  await playground.write(
    '[{"name": "one", "actions": ["repositories/a/content/read"]}, {"name": "two", "actions": ["repositories/a/content/write"]}]',
  );
  await expect(playground.map).toHaveCount(2);
  await playground.ask("repository:a:pull");
  await playground.says("Can't tell yet", "one allows this, but two doesn't.");
  await playground.ask("repository:a:pull,push");
  await playground.says(
    "Can't tell yet",
    "No single scope map allows this, and an Azure Container Registry token has only one",
  );
});

test("Clear empties the field and keeps what was taken", async ({ playground }) => {
  await playground.write(PUSH + AZ_MAP);
  await playground.page.getByRole("button", { name: "Clear" }).click();
  await expect(playground.field).toBeEmpty();
  await playground.says("Denied", COMMAND);
});

test("what was found is said aloud", async ({ playground }) => {
  await playground.write("!!");
  await expect(playground.announced).toContainText("Not recognised at character 1");
  await playground.write(AZ_MAP);
  await expect(playground.announced).toContainText("Scope map MyScopeMap, 2 rules");
});

test("a rule that was added or removed by hand comes back by Undo", async ({ playground, page }) => {
  const undo = playground.undo;
  const [own, read, write] = ["zzz", "a", "b"].map((name) => `repositories/${name}/content/read`);
  await playground.write(JSON.stringify({ name: "M", actions: [read, write] }));
  await playground.map.getByRole("textbox", { name: "Add rules" }).fill(own ?? "");
  await playground.map.getByRole("button", { name: "Add", exact: true }).click();
  expect(await playground.rules()).toEqual([read, write, own]);
  await playground.field.focus();
  await page.keyboard.press("Control+Home");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Space");
  await page.keyboard.press("Space");
  expect(await playground.rules()).toEqual([read, write]);
  await undo.click();
  expect(await playground.rules()).toEqual([read, write, own]);
  await playground.map.getByRole("button", { name: `remove ${read}` }).click();
  expect(await playground.rules()).toEqual([write, own]);
  await undo.click();
  expect(await playground.rules()).toEqual([read, write, own]);
});
