/** The built page in a real browser, the one that the system has. */

import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "tests",
  // What vitest runs is called otherwise.
  testMatch: "**/*.spec.ts",
  outputDir: "../target/playwright",
  reporter: "list",
  forbidOnly: true,
  workers: 1,
  use: {
    launchOptions: {
      executablePath: "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
