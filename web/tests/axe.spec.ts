/** No violation that axe knows of, in every state of the page, in both colours. */

import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";

import { expect, test } from "./page.ts";
import { Playground } from "./playground.ts";
import { AZ_MAP, accessClaims, PUSH, token } from "./texts.ts";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

async function check(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
  const said = violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`));
  expect(said).toEqual([]);
}

const READ = "repositories/samples/*/content/read";

/** States, and how one gets there from an empty page. */
const states: [string, (playground: Playground) => Promise<unknown>][] = [
  ["empty", async () => {}],
  ["denied", (playground) => playground.write(PUSH + AZ_MAP)],
  [
    "allowed",
    async (playground) => {
      await playground.use(READ);
      await playground.ask("repository:samples/nginx:pull");
    },
  ],
  [
    "partly, with what is no scope, no rule and no name",
    async (playground) => {
      await playground.use(READ, "not a rule");
      await playground.ask("repository:samples/nginx:pull,push oops");
      await playground.repository.fill("Upper");
      await playground.repository.press("Enter");
      await playground.map.getByRole("textbox", { name: "Name" }).fill("a b");
    },
  ],
  [
    "a cell that can be changed",
    async (playground) => {
      await playground.use(READ);
      await playground.cell("samples/a", "push").click();
      await expect(playground.matrix.getByRole("region", { name: "Grant push" })).toBeVisible();
    },
  ],
  ["not understood", (playground) => playground.write("!!")],
  [
    "the client that works",
    async (playground) => {
      await playground.use("repositories/*/content/read");
      await playground.write("docker pull contoso.azurecr.io/a:v1");
    },
  ],
  [
    "the token",
    async (playground) => {
      await playground.write(token(accessClaims(1, ["a", "pull"])));
      await playground.ask("repository:a:pull,push");
      await playground.more.getByRole("combobox", { name: "Token state" }).selectOption("Disabled");
    },
  ],
  ["the comparison", (playground) => playground.chooseExample("Review a change")],
  [
    "the tests",
    async (playground) => {
      await playground.write(PUSH + AZ_MAP);
      await playground.answer.getByRole("button", { name: "Save as test" }).click();
      await playground.answer.getByRole("button", { name: "Apply to this map" }).click();
      await playground.openPanel("Tests");
    },
  ],
  [
    "the editor",
    async (playground) => {
      await playground.use(READ, "not a rule");
      await playground.map.getByRole("button", { name: "Edit as text" }).click();
      await expect(playground.map.getByRole("textbox", { name: "Scope map rules" })).toBeVisible();
    },
  ],
  ["an error alone", (playground) => playground.write("denied: requested access to the resource is denied")],
  [
    "a login that was refused",
    (playground) =>
      playground.write(
        "Error response from daemon: Get https://myserver.azurecr.io/v2/: unauthorized: authentication required",
      ),
  ],
  [
    "two maps",
    (playground) =>
      playground.write(
        '{"name": "first", "actions": []}\n{"name": "second", "actions": ["repositories/a/content/read"]}',
      ),
  ],
  [
    "an answer of the previous question",
    async (playground) => {
      await playground.write(PUSH + AZ_MAP);
      await playground.write("!!");
    },
  ],
  [
    "a client that is refused, with what passes before",
    async (playground) => {
      await playground.write(PUSH + AZ_MAP);
      await playground.more.getByRole("button", { name: "1 step passes" }).click();
    },
  ],
  [
    "the list of commands",
    async (playground) => {
      await playground.write(PUSH + AZ_MAP);
      const box = (await playground.openPanel("Client")).getByRole("combobox", { name: "Command" });
      await box.fill("tags");
      await expect(playground.page.getByRole("listbox").getByRole("option").first()).toBeVisible();
    },
  ],
  [
    "a list of commands in which nothing fits",
    async (playground) => {
      await (await playground.openPanel("Client")).getByRole("combobox", { name: "Command" }).fill("!!");
      await expect(playground.more).toContainText("No match.");
    },
  ],
  [
    "the palette",
    async (playground) => {
      await playground.write(PUSH + AZ_MAP);
      await playground.page.getByRole("button", { name: "Commands" }).click();
      await expect(playground.page.getByRole("listbox").getByRole("option").first()).toBeVisible();
    },
  ],
  ["the menu", (playground) => playground.page.getByRole("button", { name: "Examples" }).click()],
  ["the dialog", (playground) => playground.page.getByRole("button", { name: "Share" }).click()],
  ["a notice", (playground) => playground.page.goto(`${playground.page.url()}#1.AAAA`)],
];

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });
    for (const [name, reach] of states) {
      test(name, async ({ playground, page }) => {
        await reach(playground);
        await check(page);
      });
    }
    for (const [name, reach] of states.slice(1, 4)) {
      test(`${name}, on a phone`, async ({ page, site }) => {
        await page.setViewportSize({ width: 360, height: 740 });
        await page.goto(site.url);
        await reach(new Playground(page));
        await check(page);
      });
    }
  });
}
