/** The page starts, stays by itself, and starts again without a network. */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

import type { Page } from "@playwright/test";

import { expect, test } from "./page.ts";

test("the engine runs in the page", async ({ page, site }) => {
  await page.goto(site.url);
  const module = await readFile(new URL("../../target/bindgen/package/scopegate_bg.wasm", import.meta.url));
  await expect(page.locator("body")).toContainText(createHash("sha256").update(module).digest("hex"));
});

test("nothing is asked for once the page is there", async ({ page, site }) => {
  await page.goto(site.url);
  await untilKept(page);
  const asked = [...site.requests];
  await page.keyboard.press("Tab");
  await page.mouse.click(20, 20);
  expect(site.requests).toEqual(asked);
});

test("the page cannot open a connection, not even to where it came from", async ({ page, site, complaints }) => {
  await page.goto(site.url);
  const ended = await page.evaluate(() =>
    fetch("./").then(
      () => "answered",
      () => "refused",
    ),
  );
  expect(ended).toBe("refused");
  expect(complaints.splice(0).join()).toContain("connect-src 'none'");
});

test("after one visit the page starts without a network", async ({ page, site }) => {
  await page.goto(site.url);
  await untilKept(page);
  const main = page.locator("main");
  const shown = await main.textContent();
  await site.close();
  await page.reload();
  await expect(main).toHaveText(shown ?? "nothing");
});

/** Waits until the service worker has every file. */
async function untilKept(page: Page): Promise<void> {
  await page.evaluate(() => navigator.serviceWorker.ready);
}
