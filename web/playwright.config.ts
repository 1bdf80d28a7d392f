/** The built page in a real browser, the one that the system has. */

import { fileURLToPath } from "node:url";
import { defineConfig } from "@playwright/test";

/** Pictures look alike wherever the same fonts draw them. */
const FONTS = fileURLToPath(new URL("tests/fonts.conf", import.meta.url));
const environment = Object.entries({ ...process.env, FONTCONFIG_FILE: FONTS }).filter(
  ([, value]) => value !== undefined,
);

export default defineConfig({
  testDir: "tests",
  // What vitest runs is called otherwise.
  testMatch: "**/*.spec.ts",
  outputDir: "../target/playwright",
  // What the page looked like is kept beside what it does; a first picture is only made on
  // request.
  snapshotPathTemplate: "{testDir}/visual/{arg}{ext}",
  updateSnapshots: "none",
  reporter: "list",
  forbidOnly: true,
  fullyParallel: true,
  workers: 2,
  // Generous, because a test that waits for what comes is not a test of how fast it comes.
  timeout: 60_000,
  expect: {
    timeout: 15_000,
    toHaveScreenshot: { maxDiffPixelRatio: 0.01, animations: "disabled" },
  },
  use: {
    // Times are shown in the time zone of the reader.
    timezoneId: "UTC",
    permissions: ["clipboard-read", "clipboard-write"],
    launchOptions: {
      executablePath: "/usr/bin/chromium",
      env: Object.fromEntries(environment),
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
