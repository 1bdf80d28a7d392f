/**
 * The smallest change that allows what is denied, in three languages; copied, tried, and taken
 * back.
 */

import type { Locator } from "@playwright/test";
import { expect, test } from "./page.ts";
import type { Playground } from "./playground.ts";

const RULE = "repositories/samples/*/content/read";

async function denied(playground: Playground): Promise<void> {
  await playground.write(JSON.stringify({ name: "MyScopeMap", description: "Pulls", actions: [RULE] }));
  await playground.map.getByRole("textbox", { name: "Registry" }).fill("myregistry");
  await playground.ask("repository:samples/nginx:push");
}

const AZ =
  "az acr scope-map update --name MyScopeMap --registry myregistry --add-repository samples/nginx content/write";
const TERRAFORM = `resource "azurerm_container_registry_scope_map" "myscopemap" {
  name                    = "MyScopeMap"
  container_registry_name = "myregistry"
  resource_group_name     = var.resource_group_name
  description             = "Pulls"
  actions = [
    "repositories/samples/*/content/read",
    "repositories/samples/nginx/content/write", # added
  ]
}`;

/** What is copied from the tab of each language. */
async function copiedAs(playground: Playground, form: string): Promise<string> {
  await playground.answer.getByRole("tab", { name: form }).click();
  const panel = playground.answer.getByRole("tabpanel", { name: form });
  const text = await playground.copied(panel.getByRole("button", { name: /^copy the fix as / }));
  await expect(panel.getByRole("button", { name: /^copy the fix as / })).toHaveText("Copied");
  expect(await panel.locator("code").textContent()).toBe(text);
  return text;
}

test("as az, ARM and Terraform, to copy", async ({ playground }) => {
  await denied(playground);
  expect(await copiedAs(playground, "az")).toBe(AZ);
  expect(JSON.parse(await copiedAs(playground, "ARM"))).toEqual({
    type: "Microsoft.ContainerRegistry/registries/scopeMaps",
    apiVersion: "2023-07-01",
    name: "myregistry/MyScopeMap",
    properties: { description: "Pulls", actions: [RULE, "repositories/samples/nginx/content/write"] },
  });
  expect(await copiedAs(playground, "Terraform")).toBe(TERRAFORM);
});

test("a wider fix says what else it allows, in each form, and is the one that is applied", async ({ playground }) => {
  await denied(playground);
  const wider = playground.answer.getByRole("button", { name: "Allow it on all repositories below samples/" });
  await expect(wider).toHaveAttribute("aria-pressed", "false");
  await expect(playground.answer).toContainText("Also grants it on any new repository below samples/.");
  await wider.click();
  await expect(wider).toHaveAttribute("aria-pressed", "true");
  const command = await copiedAs(playground, "az");
  expect(command).toBe(
    "az acr scope-map update --name MyScopeMap --registry myregistry --add-repository 'samples/*' content/write",
  );
  expect(await copiedAs(playground, "Terraform")).toContain('"repositories/samples/*/content/write", # added');

  await wider.click();
  expect(await copiedAs(playground, "az")).toBe(AZ);

  await wider.click();
  await playground.ask("repository:samples/other:push");
  await expect(wider).toHaveAttribute("aria-pressed", "false");
  await wider.click();
  await playground.answer.getByRole("button", { name: "Apply to this map" }).click();
  await playground.says("Allowed");
  expect(await playground.rules()).toEqual([RULE, "repositories/samples/*/content/write"]);
  await playground.undo.click();
  await playground.write(command);
  await playground.says("Allowed");
});

for (const form of ["az", "ARM", "Terraform"]) {
  test(`the fix as ${form}, pasted into the field, allows what was denied`, async ({ playground }) => {
    await denied(playground);
    await playground.write(await copiedAs(playground, form));
    await playground.says("Allowed");
    expect(await playground.rules()).toEqual([RULE, "repositories/samples/nginx/content/write"]);
  });
}

/** Maps and scopes that they deny, wholly or in part. */
const denials: [string[], string][] = [
  [[], "repository:a:pull"],
  [["repositories/a/content/read"], "repository:a:push"],
  [["repositories/a/content/read"], "repository:a:pull,push,delete"],
  [["repositories/a/*/content/read"], "repository:a:pull"],
  [["repositories/a/content/read"], "repository:a/b/c:metadata_read,metadata_write"],
  [["repositories/a/content/read"], "repository:a:pull repository:b:push"],
  [["repositories/a/content/write"], "repository:a:*"],
  [["repositories/team/*/content/read"], "registry:catalog:*"],
  [["not a rule", "repositories/a*/content/read"], "repository:ab:pull"],
];

test("a fix that is tried allows what was denied, and Undo denies it again", async ({ playground }) => {
  for (const [rules, scope] of denials) {
    await test.step(`${scope} on ${rules.join(" ")}`, async () => {
      await playground.use(...rules);
      await playground.ask(scope);
      const before = await playground.rules();
      await playground.answer.getByRole("button", { name: "Apply to this map" }).click();
      await expect(playground.announced).toContainText(/^Scope map updated\. Allowed: /);
      await playground.says("Allowed");
      await playground.undo.click();
      await expect(playground.answer.getByRole("button", { name: "Apply to this map" })).toBeVisible();
      expect(await playground.rules()).toEqual(before);
    });
  }
});

test("what no rule can give has no fix", async ({ playground }) => {
  await playground.use(RULE);
  await playground.ask("registry:other:*");
  await playground.says("Denied");
  await expect(playground.answer.getByRole("button", { name: "Apply to this map" })).toHaveCount(0);
});

/** Rules, and what is beside them. */
const lint: [string, string][] = [
  ["repositories/samples/nginx/content/read", "Can pull, but can't list tags without metadata/read"],
  [
    "repositories/a*/content/read",
    "No slash before the *. Write /*, which covers everything below a path. (character 15)",
  ],
  [
    "repositories/Team/x/content/pull",
    "Unknown permission. Use content/read, content/write, content/delete, metadata/read or metadata/write. (character 21)",
  ],
  [
    "samples/nginx",
    "Not a valid rule. Use repositories/<repository>/<permission>, for example repositories/samples/nginx/content/read. (character 1)",
  ],
];

test("what lint says is beside its rule", async ({ playground }) => {
  await playground.use(...lint.map(([text]) => text));
  for (const [text, said] of lint) {
    await expect(
      playground.map.getByRole("listitem").filter({ hasText: new RegExp(`^${text.replaceAll("*", "\\*")}`) }),
    ).toContainText(said);
  }
});

test("a rule is added and removed by hand", async ({ playground }) => {
  await playground.ask("repository:a:pull");
  const field = playground.map.getByRole("textbox", { name: "Add rules" });
  await field.fill("repositories/a/content/read");
  await field.press("Enter");
  await playground.says("Allowed");
  await playground.map.getByRole("button", { name: "remove repositories/a/content/read" }).click();
  await playground.says("Can't tell yet", "To see what this token has now");
});

test("the editor shows the rules, writes them, and goes back", async ({ playground, page }) => {
  await playground.use("repositories/a/content/read");
  await playground.ask("repository:b:pull");
  await playground.map.getByRole("button", { name: "Edit as text" }).click();
  const editor = playground.map.getByRole("textbox", { name: "Scope map rules, one per line" });
  await expect(editor).toContainText("repositories/a/content/read");
  await expect(editor).toBeFocused();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("\nrepositories/b/content/read");
  await playground.says("Allowed");
  await page.keyboard.press("Control+z");
  await playground.says("Denied");
  await playground.map.getByRole("button", { name: "Back to list" }).click();
  expect(await playground.rules()).toEqual(["repositories/a/content/read"]);
});

test("a second map is added, counted in, and removed", async ({ playground, page }) => {
  await playground.use("repositories/a/content/read");
  await playground.ask("repository:a:pull,push");
  await page.getByRole("button", { name: "Add scope map" }).click();
  const second = playground.map.nth(1);
  await second.getByRole("textbox", { name: "Add rules" }).fill("repositories/a/content/write");
  await second.getByRole("button", { name: "Add", exact: true }).click();
  await playground.says("Can't tell yet", "No single scope map allows this");
  await second.getByRole("button", { name: "Remove map" }).click();
  await playground.says("Partly allowed");
  await expect(playground.map).toHaveCount(1);
});

test("a map is built of patterns and check boxes, mended, and taken out", async ({ playground, page }) => {
  const field = playground.map.getByRole("textbox", { name: "Add rules" });
  await field.fill("team/*");
  await playground.map.getByRole("checkbox", { name: "pull" }).uncheck();
  await playground.map.getByRole("checkbox", { name: "push" }).check();
  await field.press("Enter");
  expect(await playground.rules()).toEqual(["repositories/team/*/content/write"]);
  await playground.map.getByRole("button", { name: "Add content/read" }).click();
  await playground.map.getByRole("button", { name: "Add metadata/read" }).click();
  await field.fill("team/app pull");
  await field.press("Enter");
  await playground.map.getByRole("button", { name: "Remove rule" }).click();
  const rules = ["write", "read"].map((action) => `repositories/team/*/content/${action}`);
  expect(await playground.rules()).toEqual([...rules, "repositories/team/*/metadata/read"]);
  await playground.map.getByRole("button", { name: "Export" }).click();
  await page.getByRole("menuitem", { name: "az create" }).click();
  await expect(playground.announced).toContainText("copied: the scope map as az create");
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
    "az acr scope-map create --name $SCOPE_MAP --registry $REGISTRY --repository 'team/*' content/write content/read metadata/read",
  );
});

test("push is offered pull, which it needs", async ({ playground }) => {
  const [pull, push] = ["pull", "push"].map((name) => playground.map.getByRole("checkbox", { name }));
  const offered = playground.map.getByRole("button", { name: "+ pull, which a push needs" });
  await playground.map.getByRole("textbox", { name: "Add rules" }).fill("team/*");
  await push?.check();
  await expect(offered).toHaveCount(0);
  await pull?.uncheck();
  await offered.click();
  await expect(pull as Locator).toBeChecked();
  await expect(pull as Locator).toBeFocused();
  await expect(offered).toHaveCount(0);
  await playground.map.getByRole("button", { name: "Add", exact: true }).click();
  expect(await playground.rules()).toEqual(["repositories/team/*/content/read", "repositories/team/*/content/write"]);
});

test("a file that is dropped on the page is read", async ({ playground, page }) => {
  const data = await page.evaluateHandle((rule) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([JSON.stringify({ name: "dropped", actions: [rule] })], "map.json"));
    return transfer;
  }, RULE);
  await page.dispatchEvent("main", "drop", { dataTransfer: data });
  await expect(playground.found).toHaveText(["Scope map dropped, 1 rule"]);
  expect(await playground.rules()).toEqual([RULE]);
});

test("a name that no scope map may have", async ({ playground }) => {
  const name = playground.map.getByRole("textbox", { name: "Name" });
  await name.fill("a b");
  await expect(name).toHaveAttribute("aria-invalid", "true");
  await name.fill("MyScopeMap");
  await expect(name).toHaveAttribute("aria-invalid", "false");
});

test("a long list of rules scrolls in its card, and is shown a part at a time", async ({ playground, page }) => {
  await playground.use(...Array.from({ length: 450 }, (_, index) => `repositories/r${index}/content/read`));
  const removes = playground.map.getByRole("button", { name: /^remove / });
  await expect(removes).toHaveCount(200);
  expect((await playground.map.boundingBox())?.height).toBeLessThan((page.viewportSize()?.height ?? 0) + 100);
  await playground.map.getByRole("button", { name: "Show 200 more of 450 rules" }).click();
  await playground.map.getByRole("button", { name: "Show 50 more of 450 rules" }).click();
  await expect(removes).toHaveCount(450);
  await expect(removes.last()).toBeFocused();
  await playground.map.getByRole("button", { name: "remove repositories/r449/content/read" }).click();
  await expect(removes).toHaveCount(449);
  await expect(playground.map.getByRole("button", { name: "remove repositories/r448/content/read" })).toBeFocused();
});
