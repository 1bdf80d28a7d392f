/** The page starts, with the engine that was built. */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

import { expect, test } from "./page.ts";

test("the engine runs in the page", async ({ page, site }) => {
  await page.goto(site.url);
  const module = await readFile(new URL("../../target/bindgen/package/scopegate_bg.wasm", import.meta.url));
  await expect(page.locator("body")).toContainText(createHash("sha256").update(module).digest("hex"));
});

test("an empty page says how to begin, with an example that goes at the first key", async ({ playground }) => {
  await expect(playground.answer).toContainText("Paste an error, a scope map or a token");
  await expect(playground.answer).toContainText("An example: a denied push");
  await expect(playground.headline).toHaveText(/^Denied: docker push samples\/nginx will fail/);
  await expect(playground.page).toHaveTitle("Scopegate playground: what can this token do?");
  await expect(playground.map).toContainText("No rules yet. Add a rule, or paste a scope map.");
  await expect(playground.field).toBeEmpty();
  await playground.field.press("d");
  await expect(playground.answer).not.toContainText("example");
  await expect(playground.answer).not.toHaveAttribute("data-verdict");
});
