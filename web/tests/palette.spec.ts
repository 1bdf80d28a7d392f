/** The keys of the whole page, and the palette: everything that the page can do, by its name. */

import type { Page } from "@playwright/test";
import { expect, test } from "./page.ts";
import { AZ_MAP, PUSH } from "./texts.ts";

function palette(page: Page) {
  return page.getByRole("dialog", { name: "Commands" });
}

/** Opens the palette by its keys, and does what is found first. */
async function command(page: Page, typed: string): Promise<void> {
  await page.keyboard.press("Control+k");
  await expect(palette(page).getByRole("combobox", { name: "Find a command" })).toBeFocused();
  await page.keyboard.type(typed);
  await page.keyboard.press("Enter");
  await expect(palette(page)).toHaveCount(0);
}

test("the slash goes to the paste field, and is a letter where one types", async ({ playground, page }) => {
  await page.getByRole("button", { name: "Examples" }).focus();
  await page.keyboard.press("/");
  await expect(playground.field).toBeFocused();
  await expect(playground.field).toHaveValue("");
  await page.keyboard.press("/");
  await expect(playground.field).toHaveValue("/");
  await playground.question.press("/");
  await expect(playground.question).toHaveValue("/");
});

test("the slash is a letter in the editor and in dialogs", async ({ playground, page }) => {
  await playground.use("repositories/a/content/read");
  await playground.map.getByRole("button", { name: "Edit as text" }).click();
  const editor = playground.map.getByRole("textbox", { name: "Scope map rules" });
  await editor.click();
  await page.keyboard.press("/");
  await expect(editor).toBeFocused();
  await expect(editor).toContainText("/");
  await page.getByRole("button", { name: "Share" }).click();
  await expect(page.getByRole("dialog", { name: "Share" })).toBeVisible();
  await page.keyboard.press("/");
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("dialog")).toHaveCount(1);
  await expect(playground.field).not.toBeFocused();
});

test("the palette opens, filters, and gives the focus back", async ({ playground, page }) => {
  await playground.question.focus();
  await page.keyboard.press("Control+k");
  const field = palette(page).getByRole("combobox", { name: "Find a command" });
  await expect(field).toBeFocused();
  const options = palette(page).getByRole("option");
  expect(await options.count()).toBeGreaterThan(15);
  await page.keyboard.type("thEme dark");
  await expect(options).toHaveCount(1);
  await expect(palette(page).getByText("1 result")).toBeAttached();
  await page.keyboard.type(" nothing");
  await expect(options).toHaveCount(0);
  await expect(palette(page).getByText("No command matches.").first()).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(palette(page)).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(palette(page)).toHaveCount(0);
  await expect(playground.question).toBeFocused();
});

test("arrows move in the palette, and go around", async ({ playground: _, page }) => {
  await page.getByRole("button", { name: "Commands" }).press("Enter");
  const options = palette(page).getByRole("option");
  const selected = palette(page).getByRole("option", { selected: true });
  await expect(selected).toHaveAccessibleName("Paste field");
  await page.keyboard.press("ArrowDown");
  await expect(selected).toHaveAccessibleName("Answer");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await expect(selected).toHaveAccessibleName("Delete saved data");
  await expect(options.last()).toBeInViewport();
  await palette(page).getByRole("button", { name: "Close" }).click();
  await expect(page.getByRole("button", { name: "Commands" })).toBeFocused();
});

test("a press beside the palette closes it", async ({ playground: _, page }) => {
  await page.keyboard.press("Control+k");
  await expect(palette(page)).toBeVisible();
  await page.mouse.click(5, 5);
  await expect(palette(page)).toHaveCount(0);
});

test("every place of the page is reached", async ({ playground, page }) => {
  await playground.write(PUSH + AZ_MAP);
  const places = [
    ["paste field", playground.field],
    ["answer", playground.answer],
    ["check a scope", playground.question],
    ["repositories", playground.matrix.locator(":focus")],
    ["rules", playground.map.getByRole("textbox", { name: "Add rules" })],
    ["token", playground.more.getByRole("tab", { name: "Token" })],
    ["compare", playground.more.getByRole("tab", { name: "Compare" })],
    ["tests", playground.more.getByRole("tab", { name: "Tests" })],
    ["client", playground.more.getByRole("tab", { name: "Client" })],
  ] as const;
  for (const [name, place] of places) {
    await test.step(name, async () => {
      await command(page, name);
      await expect(place).toBeFocused();
      await expect(place).toBeInViewport();
    });
  }
});

/** What is typed, and what is in the clipboard then. */
const copies: [string, RegExp][] = [
  ["copy link", /#1\./],
  ["copy for chat", /docker push samples\/nginx/],
  ["ask the registry owner", /az acr scope-map update/],
  ["export as az create", /^az acr scope-map create --name /],
  ["export as bicep", /scopeMaps@/],
  ["export as yaml", /^name: /],
];

test("the answer and the map are copied", async ({ playground, page }) => {
  await playground.write(PUSH + AZ_MAP);
  await playground.says("Denied");
  for (const [name, text] of copies) {
    await test.step(name, async () => {
      await command(page, name);
      await expect(playground.announced).toContainText("copied: ");
      await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toMatch(text);
    });
  }
});

test("what there is nothing for is not offered", async ({ playground: _, page }) => {
  await page.keyboard.press("Control+k");
  for (const name of ["Copy link", "Copy for chat", "Ask the registry owner", "Export as JSON", "Undo"]) {
    await expect(palette(page).getByRole("option", { name })).toHaveCount(0);
  }
});

test("the page as a whole: an example, the theme, the registry type, undo, deletion", async ({ playground, page }) => {
  await command(page, "push fails with only");
  await playground.says("Denied", "docker push team/app will fail");
  await command(page, "theme: dark");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await expect(page.getByRole("button", { name: "Theme: dark" })).toBeVisible();
  await command(page, "registry type");
  await expect(page.getByRole("combobox", { name: "Registry type" })).toHaveValue("distribution");
  await playground.answer.getByRole("button", { name: "Apply to this map" }).click();
  await playground.says("Allowed");
  await command(page, "undo");
  await playground.says("Denied");
  await command(page, "delete saved data");
  await expect(playground.announced).toContainText("Saved data deleted.");
  await expect(playground.field).toHaveValue("");
});

test("names of maps are texts in the palette", async ({ playground, page }) => {
  const name = "<img src=x onerror=alert(1)>";
  const map = (named: string) => JSON.stringify({ name: named, actions: ["repositories/a/content/read"] });
  await playground.write(`${map(name)}\n${map("second")}`);
  await page.keyboard.press("Control+k");
  await expect(palette(page).getByText(name).first()).toBeVisible();
  await expect(palette(page).locator("img")).toHaveCount(0);
});

test("many maps do not fill the palette", async ({ playground, page }) => {
  const maps = Array.from({ length: 60 }, (_, index) => ({
    name: `map-${index}-${"x".repeat(20)}`,
    actions: [`repositories/r${index}/content/read`],
  }));
  await playground.write(maps.map((map) => JSON.stringify(map)).join("\n"));
  await expect(playground.map.first()).toBeVisible();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await expect(palette(page).getByRole("combobox")).toBeFocused();
  expect(await palette(page).getByRole("option").count()).toBeLessThan(120);
  await page.keyboard.type("delete saved");
  await page.keyboard.press("Enter");
  await expect(playground.field).toHaveValue("");
});

for (const width of [320, 360, 768, 1024, 1400, 2000]) {
  test(`the header at ${width} pixels is low, and nothing in it collides`, async ({ page, site }) => {
    await page.setViewportSize({ width, height: 800 });
    await page.goto(site.url);
    const header = page.getByRole("banner");
    const boxes = await header
      .locator("h1, button, select")
      .evaluateAll((all) =>
        all.map((element) => element.getBoundingClientRect().toJSON() as DOMRect).filter((box) => box.width > 0),
      );
    expect((await header.boundingBox())?.height).toBeLessThanOrEqual(104);
    expect(boxes.length).toBe(6);
    for (const [index, one] of boxes.entries()) {
      expect(one.right).toBeLessThanOrEqual(width);
      for (const other of boxes.slice(index + 1)) {
        const isApart =
          one.right <= other.left || other.right <= one.left || one.bottom <= other.top || other.bottom <= one.top;
        expect(isApart).toBe(true);
      }
    }
  });
}

test.describe("by touch", () => {
  test.use({ viewport: { width: 360, height: 780 }, hasTouch: true, isMobile: true });

  test("the header is low, its targets are large, and the palette works", async ({ playground: _, page }) => {
    const header = page.getByRole("banner");
    expect((await header.boundingBox())?.height).toBeLessThanOrEqual(104);
    for (const control of await header.locator("button:visible, select:visible").all()) {
      expect((await control.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    }
    await page.getByRole("button", { name: "Commands" }).tap();
    await palette(page).getByRole("option", { name: "Theme: dark" }).tap();
    await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  });
});
