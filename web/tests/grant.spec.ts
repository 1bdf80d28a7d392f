/** A cell of the matrix grants and revokes, and what goes together lights up together. */

import type { Locator } from "@playwright/test";
import { expect, test } from "./page.ts";
import type { Action, Playground } from "./playground.ts";
import { AZ_MAP, accessClaims, PUSH, token } from "./texts.ts";

const READ = "repositories/team/*/content/read";
const WRITE = "repositories/team/app/content/write";

/** The changes that a cell offers, by their buttons. */
function change(playground: Playground, title: string): Locator {
  return playground.matrix.getByRole("region", { name: title });
}

async function chosen(playground: Playground, title: string): Promise<string[]> {
  const region = change(playground, title);
  await expect(region).toBeVisible();
  return region.getByRole("listitem").allTextContents();
}

test("a denied cell is granted, alone or below a prefix, with all that this would change", async ({ playground }) => {
  await playground.use(READ, WRITE);
  await playground.repository.fill("team/web");
  await playground.repository.press("Enter");
  await playground.cell("team/web", "delete").click();
  expect(await chosen(playground, "Grant delete")).toEqual([
    "Grant on team/webNothing else changes. The map has 3 rules then.",
    "Grant on all repositories below team/Also grants it on team/app and any new repository below team/. The map has 3 rules then.",
  ]);
  await change(playground, "Grant delete").getByRole("button", { name: "Grant on team/web", exact: true }).click();
  await playground.says("Allowed", "Can delete from team/web");
  expect(await playground.rules()).toEqual([READ, WRITE, "repositories/team/web/content/delete"]);
  await expect(playground.cell("team/web", "delete")).toBeFocused();
  await expect(playground.announced).toContainText("Scope map updated.");
  await playground.undo.click();
  expect(await playground.rules()).toEqual([READ, WRITE]);
  await playground.says("Denied");
});

test("a wildcard takes the place of the rules that it covers", async ({ playground }) => {
  await playground.use(READ, WRITE);
  await playground.cell("team/a", "push").click();
  await change(playground, "Grant push")
    .getByRole("button", { name: /below team/ })
    .click();
  await playground.says("Allowed");
  expect(await playground.rules()).toEqual([READ, "repositories/team/*/content/write"]);
});

test("what a wildcard grants is revoked in one repository, and the others keep it", async ({ playground }) => {
  await playground.use(READ);
  await playground.repository.fill("team/app team/web");
  await playground.repository.press("Enter");
  await playground.cell("team/app", "pull").click();
  expect(await chosen(playground, "Revoke pull")).toEqual([
    "Revoke on team/app, named repositories keep itAlso revokes it on any new repository below team/. ",
    "Remove the rules that grant itAlso revokes it on team/web and any new repository below team/. The map has 0 rules then.",
  ]);
  await change(playground, "Revoke pull")
    .getByRole("button", { name: /named repositories keep it/ })
    .click();
  await playground.says("Denied");
  expect(await playground.rules()).toEqual(["repositories/team/web/content/read"]);
});

test("a push is granted with pull, unless one says otherwise", async ({ playground }) => {
  await playground.use(READ);
  await playground.repository.fill("base/debian");
  await playground.repository.press("Enter");
  await playground.cell("base/debian", "push").click();
  const both = change(playground, "Grant push and pull");
  await both.getByRole("checkbox", { name: "with pull, which a push needs" }).uncheck();
  await change(playground, "Grant push").getByRole("button", { name: "Grant on base/debian" }).click();
  expect(await playground.rules()).toEqual([READ, "repositories/base/debian/content/write"]);
  await playground.undo.click();
  await change(playground, "Grant push").getByRole("checkbox").check();
  await change(playground, "Grant push and pull").getByRole("button", { name: "Grant on base/debian" }).click();
  expect(await playground.rules()).toEqual([
    READ,
    "repositories/base/debian/content/write",
    "repositories/base/debian/content/read",
  ]);
});

test("an empty page becomes a map by its cells, with keys alone", async ({ playground, page }) => {
  await playground.repository.fill("team/app");
  await playground.repository.press("Enter");
  await playground.cell("team/app", "push").focus();
  await page.keyboard.press("Enter");
  await expect(change(playground, "Grant push and pull")).toBeVisible();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await expect(page.locator(":focus")).toHaveText("Grant on all repositories below team/");
  await page.keyboard.press("Enter");
  await playground.says("Allowed");
  expect(await playground.rules()).toEqual(["repositories/team/*/content/write", READ]);
  await expect(playground.cell("team/app", "push")).toBeFocused();
});

const unchangeable: [string, (playground: Playground) => Promise<unknown>, string, Action][] = [
  ["a token", (playground) => playground.write(token(accessClaims(1, ["a", "pull"]))), "a", "push"],
  [
    "a map that is built in",
    (playground) => playground.write('{"name": "_repositories_pull", "actions": ["repositories/*/content/read"]}'),
    "a",
    "push",
  ],
  [
    "two maps, of which a token has one",
    (playground) =>
      playground.write(`{"name": "one", "actions": ["${READ}"]}\n{"name": "two", "actions": ["${WRITE}"]}`),
    "team/app",
    "delete",
  ],
  [
    "a map that is known in part",
    (playground) => playground.write("az acr scope-map update --name M --registry r --add-repository a content/read"),
    "a",
    "push",
  ],
];

for (const [name, reach, repository, action] of unchangeable) {
  test(`no cell changes ${name}`, async ({ playground }) => {
    await playground.use("repositories/x/content/read");
    await playground.cell("x", "push").click();
    await expect(change(playground, "Grant push")).toBeVisible();
    await playground.field.fill("");
    await reach(playground);
    await playground.cell(repository, action).click();
    await expect(playground.question).toHaveValue(`repository:${repository}:${action}`);
    await expect(playground.matrix.getByRole("region")).toHaveCount(0);
    await expect(playground.matrix).toContainText("Select a cell to see why. Arrow keys move.");
  });
}

/** What is lit: cells, rules, and requests. */
async function lit(playground: Playground) {
  const named = (of: Locator) => of.evaluateAll((all) => all.map((one) => one.getAttribute("aria-label") ?? ""));
  const rules = playground.map.locator("li.lit").getByRole("button", { name: /^remove / });
  return {
    cells: (await named(playground.matrix.locator(".cell.lit"))).map((label) => label.replace(/: .*/, "")),
    rules: (await named(rules)).map((label) => label.slice("remove ".length)),
    requests: await playground.more.locator("li.lit strong").allTextContents(),
  };
}

test("a rule, its cells and the requests that need them light up together", async ({ playground, page }) => {
  await playground.use(READ, WRITE);
  await playground.write("docker push r.azurecr.io/team/app:v1");
  await playground.says("Allowed");
  const rule = (text: string) => playground.map.getByRole("listitem").filter({ hasText: text });

  await rule("team/app").hover();
  await expect.poll(() => lit(playground)).toMatchObject({ cells: ["team/app push"], rules: [] });
  const writes = (await lit(playground)).requests;
  expect(writes.length).toBeGreaterThan(1);

  await rule("team/*").hover();
  await expect
    .poll(async () => (await lit(playground)).cells)
    .toEqual([
      "team/app pull",
      "Others below team/, such as team/a, pull",
      "Others below team/app/, such as team/app/a, pull",
    ]);

  await playground.cell("team/app", "push").hover();
  await expect.poll(() => lit(playground)).toEqual({ cells: ["team/app push"], rules: [WRITE], requests: writes });

  await playground.more.getByRole("listitem").filter({ hasText: "HEAD /v2/team/app/blobs" }).first().hover();
  await expect.poll(async () => (await lit(playground)).rules).toEqual([READ]);

  await page.mouse.move(0, 0);
  await expect.poll(() => lit(playground)).toEqual({ cells: [], rules: [], requests: [] });

  await playground.cell("team/a", "pull").focus();
  await expect.poll(async () => (await lit(playground)).rules).toEqual([READ]);
  await playground.question.focus();
  await expect.poll(async () => (await lit(playground)).rules).toEqual([]);
});

test("a rule that is pointed at and removed leaves nothing lit", async ({ playground }) => {
  await playground.write(PUSH + AZ_MAP);
  await playground.map
    .getByRole("button", { name: /^remove / })
    .first()
    .hover();
  await expect.poll(async () => (await lit(playground)).cells).toEqual(["samples/hello-world pull"]);
  await playground.map
    .getByRole("button", { name: /^remove / })
    .first()
    .click();
  await expect.poll(async () => (await lit(playground)).cells).not.toContain("samples/hello-world pull");
});
