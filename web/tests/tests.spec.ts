/**
 * Answers kept as tests: checked as the maps change, and run outside by the program that the page
 * exports them for.
 */

import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { expect, test } from "./page.ts";
import type { Playground } from "./playground.ts";

const READ = "repositories/team/app/content/read";
const WRITE = "repositories/team/app/content/write";

/** The program that CI runs; an environment variable says where else it was built. */
const CLI = process.env.SCOPEGATE_CLI ?? fileURLToPath(new URL("../../target/debug/scopegate", import.meta.url));

async function keep(playground: Playground, scope: string): Promise<void> {
  await playground.ask(scope);
  await playground.answer.getByRole("button", { name: "Save as test" }).click();
  await expect(playground.answer.getByRole("button", { name: "Saved as test" })).toBeDisabled();
}

/** The tests as they are read: passes or fails, allow or deny, and of what. */
function listed(playground: Playground) {
  return playground.more.getByRole("tabpanel", { name: "Tests" }).getByRole("listitem");
}

async function results(playground: Playground): Promise<(string | null)[]> {
  return listed(playground)
    .getByRole("img")
    .evaluateAll((marks) => marks.map((mark) => mark.getAttribute("aria-label")));
}

test("an answer is kept, fails when the map changes, and is turned round", async ({ playground }) => {
  await playground.use(READ);
  await keep(playground, "repository:team/app:pull");
  await keep(playground, "repository:team/app:push");
  const panel = await playground.openPanel("Tests");
  await expect(playground.more.getByRole("tab", { name: "Tests" })).toContainText("2");
  await expect(listed(playground)).toContainText(["allow repository:team/app:pull", "deny repository:team/app:push"]);
  await expect(panel).toContainText("2 of 2 pass");

  await playground.use(WRITE);
  await expect(panel).toContainText("0 of 2 pass");
  expect(await results(playground)).toEqual(["Fails", "Fails"]);
  await expect(listed(playground).first()).toContainText("Can't pull team/app");

  await panel.getByRole("button", { name: "Switch to deny: repository:team/app:pull" }).click();
  await expect(panel).toContainText("1 of 2 pass");
  expect(await results(playground)).toEqual(["Passes", "Fails"]);
  await panel.getByRole("button", { name: "remove repository:team/app:push" }).click();
  await expect(panel).toContainText("1 of 1 pass");
  await expect(listed(playground)).toContainText(["deny repository:team/app:pull"]);
});

test("a test is removed by keys: the focus stays, and it comes back", async ({ playground, page }) => {
  await playground.use(READ);
  await keep(playground, "repository:team/app:pull");
  await keep(playground, "repository:team/app:push");
  const panel = await playground.openPanel("Tests");
  const remove = (action: string) => panel.getByRole("button", { name: `remove repository:team/app:${action}` });
  await remove("push").press("Enter");
  await expect(remove("pull")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(playground.announced).toContainText("Test removed. Undo: Ctrl Z.");
  await expect(panel.getByText("Save an answer as a test, or paste an assertions file.")).toBeFocused();
  await page.keyboard.press("Control+z");
  await expect(listed(playground)).toHaveCount(1);
});

test("a switched test keeps its reason, and its button the focus", async ({ playground }) => {
  await playground.use(READ);
  await keep(playground, "repository:team/app:pull");
  const panel = await playground.openPanel("Tests");
  const reason = panel.getByRole("textbox", { name: "Reason (optional)" });
  await reason.pressSequentially("the cluster pulls");
  await expect(reason).toBeFocused();
  await panel.getByRole("button", { name: "Switch to deny: repository:team/app:pull" }).press("Enter");
  await expect(panel.getByRole("button", { name: "Switch to allow: repository:team/app:pull" })).toBeFocused();
  await expect(panel).toContainText("0 of 1 pass");
  await expect(reason).toHaveValue("the cluster pulls");
});

test.describe("by touch", () => {
  test.use({ viewport: { width: 360, height: 780 }, hasTouch: true, isMobile: true });

  test("a test fits, and its targets are large", async ({ playground, page }) => {
    await playground.use(READ);
    await keep(playground, "repository:team/application-with-a-long-name:pull,push,delete");
    const panel = await playground.openPanel("Tests");
    for (const control of await panel.locator("button, select, input").all()) {
      expect((await control.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    }
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    expect((await panel.getByText("repository:team/application").boundingBox())?.width).toBeGreaterThan(200);
  });
});

test("what a client needs is kept, one test for each resource", async ({ playground }) => {
  await playground.use(READ, WRITE);
  await playground.write("crane copy myregistry.azurecr.io/team/app:v1 myregistry.azurecr.io/team/web:v1");
  await playground.answer.getByRole("button", { name: "Save as test" }).click();
  await playground.openPanel("Tests");
  await expect(listed(playground)).toHaveCount(2);
});

test("a test has a reason", async ({ playground, page }) => {
  await playground.use(READ);
  await keep(playground, "repository:team/app:pull");
  const panel = await playground.openPanel("Tests");
  await panel.getByRole("textbox", { name: "Reason (optional)" }).fill('the "cluster" pulls');
  await panel.getByRole("textbox", { name: "Reason (optional)" }).press("Enter");
  const yaml = await playground.copied(panel.getByRole("button", { name: "Copy YAML" }));
  expect(yaml).toContain('    why: "the \\"cluster\\" pulls"\n');
  await page.reload();
  await expect(panel.getByRole("textbox", { name: "Reason (optional)" })).toHaveValue('the "cluster" pulls');
});

test("what is partly allowed is kept as two tests, which pass", async ({ playground }) => {
  await playground.use(READ);
  await keep(playground, "repository:team/app:pull,push,delete");
  const panel = await playground.openPanel("Tests");
  await expect(listed(playground)).toContainText([
    "allow repository:team/app:pull",
    "deny repository:team/app:push,delete",
  ]);
  await expect(panel).toContainText("2 of 2 pass");
});

/** Maps and assertions of which some pass and some fail. */
const files: [string, string][] = [
  [
    "all pass",
    `scopeMaps:\n  - actions: ["${READ}"]\nassertions:\n  - allow: repository:team/app:pull\n  - deny: repository:team/app:push\n`,
  ],
  [
    "some fail",
    `scopeMaps:\n  - name: builders\n    actions: ["${READ}"]\n  - actions: ["${WRITE}"]\nassertions:\n  - allow: repository:team/app:pull,push\n    why: "a \\"reason\\" # and more"\n  - deny: repository:team/app:pull,delete\n  - allow: registry:catalog:*\n`,
  ],
  [
    "the catalog",
    `catalog: filtered\nscopeMaps:\n  - actions: ["${READ}"]\nassertions:\n  - allow: registry:catalog:*\n`,
  ],
];

for (const [name, file] of files) {
  test(`the file runs in scopegate test as it does here: ${name}`, async ({ playground, page }, testInfo) => {
    await playground.write(file);
    const panel = playground.more.getByRole("tabpanel", { name: "Tests" });
    await expect(panel).toContainText(/\d of \d pass/);
    const here = await results(playground);
    const download = page.waitForEvent("download");
    await panel.getByRole("button", { name: "Download access.yaml" }).click();
    const saved = await download;
    expect(saved.suggestedFilename()).toBe("access.yaml");
    const path = testInfo.outputPath("access.yaml");
    await saved.saveAs(path);
    expect(await playground.copied(panel.getByRole("button", { name: "Copy YAML" }))).toBe(
      await readFile(path, "utf8"),
    );
    expect(await there(path, testInfo.outputPath("report.xml"))).toEqual(here);
  });
}

/** Files that the program refuses, and why, which the page says in the same words. */
const refused: [string, string][] = [
  [`scopeMaps:\n  - actions: ["not a rule"]\nassertions:\n  - deny: repository:a:pull\n`, "not a valid rule"],
  [
    `scopeMaps:\n  - actions: ["${READ}"]\nassertions:\n  - deny: repository:Team/app:pull\n`,
    "uppercase letter in the repository name",
  ],
];

test("what scopegate test refuses is said here, too", async ({ playground }, testInfo) => {
  for (const [file, why] of refused) {
    await playground.write(file);
    await expect(playground.page.getByRole("main")).toContainText(why, { ignoreCase: true });
    const path = testInfo.outputPath("access.yaml");
    await writeFile(path, file);
    const { code, text } = await run("test", path);
    expect(code).toBe(2);
    expect(text).toContain(why);
  }
});

/** What the program says of each test of a file, in their order. */
async function there(file: string, report: string): Promise<string[]> {
  const { code, text } = await run("test", "--junit", report, file);
  expect([0, 1], text).toContain(code);
  const cases = (await readFile(report, "utf8")).split("<testcase ").slice(1);
  return cases.map((one) => (/<(failure|error)\b/.test(one) ? "Fails" : "Passes"));
}

function run(...args: string[]): Promise<{ code: number; text: string }> {
  return new Promise((resolve) => {
    execFile(CLI, args, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), text: stdout + stderr });
    });
  });
}

test("the exported file is pasted back, and everything is as it was", async ({ playground, page }) => {
  await playground.use(READ);
  await keep(playground, "repository:team/app:pull");
  await keep(playground, "repository:team/app:push");
  const panel = await playground.openPanel("Tests");
  const yaml = await playground.copied(panel.getByRole("button", { name: "Copy YAML" }));
  await page.getByRole("button", { name: "Delete saved data" }).click();
  await expect(playground.map).toContainText("No rules yet");
  await playground.write(yaml);
  await expect(playground.found).toHaveText(["2 assertions", "Scope map MyScopeMap, 1 rule"]);
  await expect(playground.map).toHaveCount(1);
  await expect(panel).toContainText("2 of 2 pass");
  expect(await playground.rules()).toEqual([READ]);
});

test("who can list repositories is said, and changes what is answered", async ({ playground }) => {
  await playground.use("repositories/*/metadata/read");
  await playground.ask("registry:catalog:*");
  await playground.says("Allowed");
  await playground.write(JSON.stringify({ scopeMaps: ["ci.json"], catalog: "never", assertions: [] }));
  await expect(playground.found).toHaveText(["0 assertions. Also paste the contents of ci.json."]);
  await playground.says("Denied");
  const panel = await playground.openPanel("Tests");
  await panel.getByRole("combobox", { name: "Who can list repositories" }).selectOption({ index: 0 });
  await playground.says("Allowed");
});
