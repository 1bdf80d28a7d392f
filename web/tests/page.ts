/**
 * What the tests of the built page share: a server of its files, the page opened, and an ear for
 * what the browser complains of.
 *
 * Every test fails when there was an error on the console or something that the page's policy
 * forbids, whatever else it looks at.
 */

import { fileURLToPath } from "node:url";

import { test as base, expect, type Page } from "@playwright/test";

import { serve } from "../../tests/web/static-server.mjs";
import { Playground } from "./playground.ts";

const BUILT = fileURLToPath(new URL("../../target/web", import.meta.url));

type Site = Awaited<ReturnType<typeof serve>>;

interface Fixtures {
  /** A server of this test alone, which may be counted and closed. */
  ownSite: Site;
  complaints: string[];
  /** The page, opened for the first time. */
  playground: Playground;
}

export { expect };

export const test = base.extend<Fixtures, { site: Site }>({
  site: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the pattern
    async ({}, use) => {
      const site = await serve(BUILT);
      await use(site);
      await site.close();
    },
    { scope: "worker" },
  ],
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the pattern
  ownSite: async ({}, use) => {
    const site = await serve(BUILT);
    await use(site);
    await site.close();
  },
  complaints: [
    async ({ context }, use) => {
      const complaints: string[] = [];
      context.on("page", (page) => listen(page, complaints));
      await use(complaints);
      expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
  playground: async ({ page, site }, use) => {
    await page.goto(site.url);
    await use(new Playground(page));
  },
});

/**
 * Notes what the browser says of a page. What a policy forbids is an error on the console, too.
 */
export function listen(page: Page, complaints: string[]): void {
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
}
