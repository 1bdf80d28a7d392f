/**
 * What the tests of the built page share: a server of its files, and an ear for what the browser complains of.
 *
 * Every test fails when there was an error on the console or something that the page's policy forbids, whatever else it
 * looks at.
 */

import { fileURLToPath } from "node:url";

import { test as base, expect } from "@playwright/test";

import { serve } from "../../tests/web/static-server.mjs";

const BUILT = fileURLToPath(new URL("../../target/web", import.meta.url));

interface Fixtures {
  site: Awaited<ReturnType<typeof serve>>;
  complaints: string[];
}

export { expect };

export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads from the pattern what a fixture needs.
  site: async ({}, use) => {
    const site = await serve(BUILT);
    await use(site);
    await site.close();
  },
  complaints: [
    async ({ page }, use) => {
      const complaints: string[] = [];
      // What a policy forbids is an error on the console, too.
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) complaints.push(message.text());
      });
      page.on("pageerror", (error) => complaints.push(String(error)));
      await use(complaints);
      expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
});
