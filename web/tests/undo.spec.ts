/** Undo of everything, by buttons and keys, and what says that something was removed. */

import { expect, test } from "./page.ts";
import { paste } from "./playground.ts";
import { AZ_MAP, PUSH } from "./texts.ts";

const RULE = "repositories/samples/hello-world/content/read";

test("what is removed says so, and comes back", async ({ playground, page }) => {
  await playground.write(AZ_MAP);
  const before = await playground.rules();
  await playground.map.getByRole("button", { name: `remove ${RULE}` }).click();
  expect(await playground.rules()).toHaveLength(1);
  await expect(playground.announced).toContainText("Rule removed. Undo: Ctrl Z.");
  const toast = page.getByRole("region", { name: "Removed" });
  await expect(toast).toContainText("Rule removed.");
  await toast.getByRole("button", { name: "Undo" }).click();
  expect(await playground.rules()).toEqual(before);
  await expect(toast).toHaveCount(0);
});

test("the focus goes to the next rule, and after the last to where one is added", async ({ playground, page }) => {
  await playground.write(AZ_MAP);
  await playground.map.getByRole("button", { name: `remove ${RULE}` }).press("Enter");
  const last = playground.map.getByRole("button", { name: /^remove / });
  await expect(last).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(playground.map.getByRole("textbox", { name: "Add rules" })).toBeFocused();
});

test("the offer goes by Escape, and the focus back to where it was", async ({ playground, page }) => {
  await playground.write(AZ_MAP + PUSH);
  await page.getByRole("button", { name: "Clear" }).click();
  const toast = page.getByRole("region", { name: "Removed" });
  await expect(toast).toContainText("Pasted text cleared.");
  await playground.field.focus();
  await toast.getByRole("button", { name: "Undo" }).focus();
  await page.keyboard.press("Escape");
  await expect(toast).toHaveCount(0);
  await expect(playground.field).toBeFocused();
});

test("the offer waits while it is looked at, and goes after a while", async ({ page, site, playground }) => {
  await page.clock.install();
  await page.goto(site.url);
  await playground.write(AZ_MAP);
  await page.getByRole("button", { name: "Clear" }).click();
  const toast = page.getByRole("region", { name: "Removed" });
  await toast.hover();
  await page.clock.runFor(60_000);
  await expect(toast).toBeVisible();
  await page.mouse.move(0, 0);
  await page.clock.runFor(13_000);
  await expect(toast).toHaveCount(0);
});

test("the keys undo and redo, and leave fields their own", async ({ playground, page }) => {
  await paste(playground.field, PUSH + AZ_MAP);
  await playground.answer.getByRole("button", { name: "Apply to this map" }).click();
  await playground.says("Allowed");
  await page.keyboard.press("Control+z");
  await playground.says("Denied");
  await page.keyboard.press("Control+Shift+z");
  await playground.says("Allowed");
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Control+y");
  await playground.says("Allowed");
  await playground.repository.fill("team/app");
  await playground.repository.press("Control+z");
  await playground.says("Allowed");
});

test("everything that was deleted comes back, and a reload keeps what is there then", async ({ playground, page }) => {
  await playground.write(PUSH + AZ_MAP);
  await playground.says("Denied");
  await page.getByRole("button", { name: "Delete saved data" }).click();
  await expect(playground.field).toHaveValue("");
  await page.getByRole("region", { name: "Removed" }).getByRole("button", { name: "Undo" }).click();
  await playground.says("Denied");
  await expect(playground.field).toHaveValue(PUSH + AZ_MAP);
  await page.waitForTimeout(600);
  await page.reload();
  await playground.says("Denied");
  await expect(playground.undo).toHaveCount(0);
});

test("an example and a pasted token are steps, too", async ({ playground }) => {
  await playground.write(AZ_MAP);
  await playground.chooseExample("Push fails with only content/write");
  await playground.says("Denied");
  await playground.undo.click();
  await expect(playground.field).toHaveValue(AZ_MAP);
  await expect(playground.headline).toHaveText(/^MyScopeMap can/);
});
