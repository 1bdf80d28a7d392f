/** Everything by keys alone; what is heard of the answer; a page that keeps still and fits. */

import type { Page } from "@playwright/test";

import { expect, test } from "./page.ts";
import { Playground } from "./playground.ts";
import { AZ_MAP, PUSH } from "./texts.ts";

/** What has the focus, by its role and name, and whether one sees that it has. */
async function focused(page: Page): Promise<{ name: string; isSeen: boolean }> {
  return page.evaluate(() => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    if (!(element instanceof HTMLElement) || element === document.body) return { name: "nothing", isSeen: true };
    const label =
      element instanceof HTMLInputElement ||
      element instanceof HTMLSelectElement ||
      element instanceof HTMLTextAreaElement
        ? (element.labels?.[0]?.querySelector("span") ?? element.labels?.[0])?.textContent
        : "";
    const name = element.getAttribute("aria-label") ?? (label || element.textContent || "");
    // A radio is drawn by what is behind it.
    const drawn =
      element instanceof HTMLInputElement && element.type === "radio" ? element.nextElementSibling : element;
    const style = getComputedStyle(drawn ?? element);
    const box = (drawn ?? element).getBoundingClientRect();
    const isInView = box.width > 0 && box.bottom > 0 && box.top < innerHeight;
    return {
      name: name.trim(),
      isSeen: isInView && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0,
    };
  });
}

/** Presses the tab key from the top of the page to its end. */
async function walk(page: Page): Promise<string[]> {
  await page.evaluate(() => scrollTo(0, 0));
  await page.locator("body").press("Home");
  const names: string[] = [];
  for (let stop = 0; stop < 200; stop += 1) {
    await page.keyboard.press("Tab");
    const { name, isSeen } = await focused(page);
    if (name === "nothing") return names;
    expect(isSeen, `the focus is seen on ${name}`).toBe(true);
    names.push(name);
  }
  throw new Error("the tab key never comes to the end");
}

test("every control is reached, in the order of the page, and the focus is seen", async ({ playground, page }) => {
  await playground.write(PUSH + AZ_MAP);
  await page.reload();
  await playground.says("Denied");
  const stops = await walk(page);
  for (const [index, name] of [
    "Skip to answer",
    "Commands Ctrl K",
    "Theme: system",
    "Registry type",
    "Examples",
    "Share",
    "Clear",
    "Paste an error, token or scope map",
  ].entries()) {
    expect(stops[index]).toBe(name);
  }
  for (const name of [
    "Edit as text",
    "Name",
    "Add rules",
    "Check a scope",
    "Save as test",
    "az",
    "Apply to this map",
    "Why",
    "samples/nginx pull: denied",
    "Add repositories",
    "Client",
    "Command",
    "Repository",
    "Tag",
    "Delete saved data",
  ]) {
    expect(stops).toContain(name);
  }
  const controls = page.locator("button:visible, input:visible, select:visible, textarea:visible, summary:visible");
  const reachable = await controls.evaluateAll(
    (all) => all.filter((one) => one instanceof HTMLElement && one.tabIndex >= 0).length,
  );
  expect(stops.length).toBeGreaterThanOrEqual(reachable);
});

test("a newcomer's way by keys alone", async ({ playground, page }) => {
  await playground.field.press("Control+a");
  await page.keyboard.insertText(PUSH + AZ_MAP);
  await playground.says("Denied");
  await playground.answer.getByRole("tab", { name: "az" }).press("ArrowRight");
  await expect(playground.answer.getByRole("tab", { name: "ARM" })).toBeFocused();
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  await expect(playground.answer.getByRole("tab", { name: "Terraform" })).toHaveAttribute("aria-selected", "true");
  await playground.answer.getByRole("button", { name: "Apply to this map" }).press("Enter");
  await playground.says("Allowed");
  await playground.undo.press("Space");
  await playground.says("Denied");
});

test("the first stop skips to the answer", async ({ playground, page }) => {
  await playground.write(PUSH + AZ_MAP);
  await page.reload();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await expect(playground.answer.getByRole("tab", { name: "az" })).toBeFocused();
});

test("the address stays the page's own when one skips", async ({ playground, page, site }) => {
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(playground.answer).toBeFocused();
  expect(page.url()).toBe(site.url);
  await page.goto(`${site.url}#answer`);
  await page.reload();
  await expect(page.getByRole("alert")).toHaveCount(0);
});

test("the focus never falls off what is pressed and goes", async ({ playground, page }) => {
  await playground.write(PUSH + AZ_MAP);
  const keep = playground.answer.getByRole("button", { name: "Save as test" });
  await keep.press("Enter");
  await expect(playground.answer.getByRole("button", { name: "Saved as test" })).toBeFocused();
  await playground.answer.getByRole("button", { name: "Apply to this map" }).press("Enter");
  await expect(playground.answer).toBeFocused();
  const redo = page.getByRole("button", { name: "Redo" });
  for (const steps of [playground.undo, redo]) {
    while ((await steps.count()) > 0) await steps.press("Enter");
    await expect(page.getByRole("button", { name: "Add scope map" })).toBeFocused();
  }
  await page.getByRole("button", { name: "Clear" }).press("Enter");
  await expect(playground.field).toBeFocused();
});

test("an invalid repository does not disturb the other rows", async ({ playground, page }) => {
  await playground.use("repositories/*/content/read");
  await playground.repository.fill("UPPER/x team/app");
  await playground.repository.press("Enter");
  await page.getByRole("button", { name: "remove UPPER/x" }).focus();
  await page.keyboard.press("ArrowRight");
  await expect(playground.cell("UPPER/x", "pull")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(playground.question).toHaveValue("");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await playground.says("Allowed", "Can pull team/app");
});

test("the menu of examples closes when one leaves it", async ({ playground: { page } }) => {
  await page.getByRole("button", { name: "Examples" }).press("Enter");
  const items = page.getByRole("menuitem");
  await page.keyboard.press("End");
  await expect(items.last()).toBeFocused();
  await page.keyboard.press("Home");
  await expect(items.first()).toBeFocused();
  await page.getByRole("button", { name: "Share" }).focus();
  await expect(items).toHaveCount(0);
});

test("the menu of examples", async ({ playground, page }) => {
  const button = page.getByRole("button", { name: "Examples" });
  await button.press("Enter");
  const items = page.getByRole("menuitem");
  await expect(items.first()).toBeFocused();
  await page.keyboard.press("ArrowUp");
  await expect(items.last()).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await expect(items.nth(1)).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(items).toHaveCount(0);
  await expect(button).toBeFocused();
  await button.press("Enter");
  await page.keyboard.press("Enter");
  await playground.says("Denied");
  await button.click();
  await page.getByRole("heading", { name: "Scopegate" }).click();
  await expect(items).toHaveCount(0);
});

test("every example opens", async ({ playground, page }) => {
  await page.getByRole("button", { name: "Examples" }).click();
  const names = await page.getByRole("menuitem").locator("strong").allTextContents();
  await page.keyboard.press("Escape");
  expect(names.length).toBeGreaterThan(4);
  for (const name of names) {
    await playground.chooseExample(name);
    await expect(playground.announced).toContainText(`Example loaded: ${name}`);
    await expect(playground.answer.getByText(/^(Allowed|Denied|Partly allowed)$/)).toBeVisible();
  }
});

test("the dialog keeps the focus, and gives it back", async ({ page, playground: _ }) => {
  const button = page.getByRole("button", { name: "Share" });
  await button.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Share" });
  await expect(dialog).toBeVisible();
  expect(await dialog.evaluate((element) => element.contains(document.activeElement))).toBe(true);
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(button).toBeFocused();
  await page.keyboard.press("Enter");
  await dialog.getByRole("button", { name: "Close" }).press("Enter");
  await expect(dialog).toBeHidden();
  await expect(button).toBeFocused();
});

test("the panels are one stop, with arrows between them", async ({ playground, page }) => {
  await playground.more.getByRole("tab", { name: "Client" }).focus();
  for (const name of ["Token", "Compare", "Tests", "Client"]) {
    await page.keyboard.press("ArrowRight");
    await expect(playground.more.getByRole("tab", { name })).toBeFocused();
    await expect(playground.more.getByRole("tabpanel", { name })).toBeVisible();
  }
});

test("the verdict is heard after whatever changes it", async ({ playground, page }) => {
  await playground.ask("repository:team/app:pull");
  await expect(playground.announced).toHaveText(
    /^Can't tell yet: repository:team\/app:pull needs content\/read on team\/app. To see what this token has now/,
  );
  await playground.use("repositories/team/app/content/read");
  await expect(playground.announced).toHaveText(/^Scope map MyScopeMap, 1 rule. Allowed: The token can pull team\/app/);
  await playground.map.getByRole("button", { name: "remove repositories/team/app/content/read" }).click();
  await expect(playground.announced).toHaveText(/^Rule removed\. Undo: Ctrl Z\. Denied: /);
  await playground.answer.getByRole("button", { name: "Apply to this map" }).click();
  await expect(playground.announced).toHaveText(/^Scope map updated\. Allowed: /);
  await expect(page.getByRole("status")).toHaveCount(1);
});

test("nothing jumps when the verdict changes", async ({ playground }) => {
  await playground.use("repositories/team/app/content/read");
  await playground.repository.fill("team/app team/web team/db");
  await playground.repository.press("Enter");
  await playground.ask("repository:team/app:pull");
  await playground.says("Allowed");
  const fixed = [
    playground.field,
    playground.answer.getByText("Allowed", { exact: true }),
    playground.map.getByRole("textbox", { name: "Name" }),
  ];
  const before = await Promise.all(fixed.map((one) => one.boundingBox()));
  await playground.ask("repository:team/app:push");
  await playground.says("Denied");
  fixed[1] = playground.answer.getByText("Denied", { exact: true });
  const after = await Promise.all(fixed.map((one) => one.boundingBox()));
  const places = (boxes: typeof before) => boxes.map((box) => [box?.x, box?.y]);
  expect(places(after)).toEqual(places(before));
  await expect(playground.question).toBeInViewport();
});

/** Names and rules that are as long as they may be. */
const LONG = Array.from({ length: 25 }, () => "component").join("/");

for (const width of [320, 360, 768, 1024, 1400, 2000, 2560]) {
  test(`the page fits into ${width} pixels`, async ({ page, site }) => {
    await page.setViewportSize({ width, height: 900 });
    await page.goto(site.url);
    const playground = new Playground(page);
    await playground.write(PUSH + AZ_MAP);
    await playground.repository.fill(LONG);
    await playground.repository.press("Enter");
    await playground.map.getByRole("textbox", { name: "Add rules" }).fill(`repositories/${LONG}/content/read`);
    await playground.map.getByRole("button", { name: "Add", exact: true }).click();
    await playground.answer.getByRole("button", { name: "Save as test" }).click();
    for (const panel of ["Client", "Token", "Compare", "Tests"] as const) {
      await playground.openPanel(panel);
      const { content, view } = await page.evaluate(() => ({
        content: document.documentElement.scrollWidth,
        view: document.documentElement.clientWidth,
      }));
      expect(content, panel).toBeLessThanOrEqual(view);
    }
    const main = await page.getByRole("main").boundingBox();
    expect(main?.width).toBeGreaterThanOrEqual(Math.min(width * 0.95, 1700));
  });
}
