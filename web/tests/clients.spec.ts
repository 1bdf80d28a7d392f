/**
 * A client at work: what it sends, where it fails, what its user reads, and that a fix makes it
 * work.
 */

import { expect, test } from "./page.ts";
import type { Playground } from "./playground.ts";

const READ = "repositories/team/app/content/read";
const WRITE = "repositories/team/app/content/write";
const METADATA = "repositories/team/app/metadata/read";

async function choose(playground: Playground, operation: string): Promise<void> {
  await (await playground.openPanel("Client")).getByRole("combobox", { name: "Operation" }).selectOption(operation);
}

/** The steps as they are read: what for, and what became of it. */
function steps(playground: Playground) {
  return playground.more.getByRole("tabpanel").getByRole("listitem");
}

/** An operation, the rules, the verdict, and what is read where it ends. */
const runs: [string, string[], "Allowed" | "Denied" | "Partly allowed", string][] = [
  ["docker pull", [READ], "Allowed", "Status: Downloaded newer image"],
  ["docker pull", [], "Denied", "denied: requested access to the resource is denied"],
  ["docker push", [WRITE], "Denied", "denied: requested access to the resource is denied"],
  ["docker push", [READ, WRITE], "Allowed", "v1: digest: sha256:"],
  ["helm dependency update", [READ], "Denied", "team/app"],
  ["helm dependency update", [READ, METADATA], "Allowed", ""],
  ["skopeo inspect", [READ], "Denied", "team/app"],
  ["az acr repository show-tags", [READ], "Denied", "team/app"],
  ["az acr repository show-tags", [METADATA], "Allowed", "v1"],
  ["Renovate, a lookup of tags", [METADATA], "Partly allowed", ""],
];

test("operations work or fail by what is granted", async ({ playground }) => {
  await playground.repository.fill("team/app");
  await playground.repository.press("Enter");
  for (const [operation, rules, verdict, printed] of runs) {
    await test.step(`${operation} with ${rules.length} rules`, async () => {
      await playground.use(...rules);
      await choose(playground, operation);
      await playground.says(verdict, `${operation} team/app`);
      await expect(playground.more).toContainText(printed);
    });
  }
});

test("every operation that there is to choose can be simulated", async ({ playground }) => {
  await playground.use("repositories/*/content/read");
  const panel = await playground.openPanel("Client");
  const box = panel.getByRole("combobox", { name: "Operation" });
  const names = (await box.locator("option:not([disabled])").allTextContents()).map((name) => name.trim());
  expect(names.length).toBeGreaterThan(50);
  for (const name of names) {
    await box.selectOption(name);
    await expect(playground.answer).toContainText(`${name} `);
    await expect(steps(playground).first()).toBeVisible();
  }
});

test("the step that fails is marked, and those after it are never sent", async ({ playground }) => {
  await playground.use(READ);
  await choose(playground, "docker push");
  await expect(steps(playground)).toHaveText([
    /^asks where tokens come from is challenged, as the client expects/,
    /^begins an upload is refused/,
    /^sends the layer is never sent/,
    /^ends the upload is never sent/,
    /^looks whether the layer has arrived is never sent/,
    /^writes the manifest is never sent/,
  ]);
  const refused = steps(playground).nth(1);
  await expect(refused).toContainText("POST /v2/team/app/blobs/uploads/");
  await expect(refused.getByRole("definition")).toHaveText([
    'Bearer realm="https://myregistry.azurecr.io/oauth2/token",service="myregistry.azurecr.io",scope="repository:team/app:pull,push",error="insufficient_scope"',
    "repository:team/app:push,pull",
    "repository:team/app:pull",
    "repository:team/app:push",
  ]);
});

test("another repository and another tag", async ({ playground }) => {
  await playground.use(READ);
  await choose(playground, "docker pull");
  const panel = playground.more.getByRole("tabpanel");
  await panel.getByRole("textbox", { name: "Repository" }).fill("team/web");
  await panel.getByRole("textbox", { name: "Tag" }).fill("v9");
  await playground.says("Denied", "docker pull team/web will fail");
  await expect(panel).toContainText("/v2/team/web/manifests/v9");
});

test("a copy names where it comes from", async ({ playground }) => {
  await playground.use(READ, WRITE);
  await choose(playground, "crane copy");
  const source = playground.more.getByRole("textbox", { name: "From repository" });
  await source.fill("base/debian");
  await playground.says("Denied", "Can't pull base/debian");
  await source.fill("team/app");
  await playground.says("Allowed");
});

test("the registries differ in what listing tags needs", async ({ playground, page }) => {
  await playground.use(READ);
  await choose(playground, "crane ls");
  await playground.says("Denied", "Can't read the metadata of team/app");
  await page.getByRole("combobox", { name: "Registry" }).selectOption("CNCF distribution");
  await playground.says("Allowed");
});

test("a fix that is tried makes the client work, and Undo takes it back", async ({ playground }) => {
  await playground.use(WRITE);
  await choose(playground, "docker push");
  await playground.says("Denied", "docker push team/app will fail");
  await playground.answer.getByRole("button", { name: "Apply to this map" }).click();
  await playground.says("Allowed", "docker push team/app will work");
  expect(await playground.rules()).toEqual([WRITE, READ]);
  await expect(steps(playground).last()).toContainText("writes the manifest passes");
  await playground.page.getByRole("button", { name: "Undo" }).click();
  await playground.says("Denied", "docker push team/app will fail");
  expect(await playground.rules()).toEqual([WRITE]);
});

test("the operation that a paste asks for is the one that is chosen", async ({ playground, page }) => {
  await playground.write("docker push myregistry.azurecr.io/team/app:v1");
  const box = playground.more.getByRole("combobox", { name: "Operation" });
  await expect(box.getByRole("option", { selected: true })).toHaveText("docker push");
  await page.reload();
  await expect(box.getByRole("option", { selected: true })).toHaveText("docker push");
});
