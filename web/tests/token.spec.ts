/**
 * Tokens: the one that would be issued, at any time and whatever was done to it; and the one that
 * was pasted.
 */

import { inflateRawSync } from "node:zlib";

import { expect, test } from "./page.ts";
import { Playground } from "./playground.ts";
import { accessClaims, SIGNATURE, token } from "./texts.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const SECONDS = NOW.getTime() / 1000;
const RULE = "repositories/team/app/content/read";

test.beforeEach(async ({ page }) => {
  await page.clock.setFixedTime(NOW);
});

test("what would be issued: claims, and how large it is", async ({ playground }) => {
  await playground.use(RULE);
  await playground.ask("repository:team/app:pull,push");
  const panel = await playground.openPanel("Token");
  const text = await playground.copied(panel.getByRole("button", { name: "copy the claims of the preview" }));
  expect(JSON.parse(text)).toMatchObject({
    sub: "MyToken",
    aud: "myregistry.azurecr.io",
    iat: SECONDS,
    exp: SECONDS + 3600,
    access: [{ type: "repository", name: "team/app", actions: ["pull"] }],
  });
  await expect(panel).toContainText(/\d{3} bytes \(signed with ES256\)/);
  await panel.getByRole("textbox", { name: "Token name" }).fill("ci");
  await expect(panel).toContainText('"sub": "ci"');
});

test("a token that is too large for a header is said to be", async ({ playground }) => {
  const names = Array.from({ length: 100 }, (_, index) => `team/application-${index}`);
  await playground.use("repositories/*/content/read");
  await playground.ask(names.map((name) => `repository:${name}:pull`).join(" "));
  const panel = await playground.openPanel("Token");
  await expect(panel).toContainText("KiB; many proxies allow only 8 KiB");
});

/** Minutes, and what the registry answers then. */
const times: [string, string][] = [
  ["0", "Accepted; expires in 1 hour"],
  ["59", "Accepted; expires in 1 minute"],
  ["60", "Accepted; expired just now (within the 1-minute clock tolerance)"],
  ["61", "401: expired 1 minute ago"],
  ["240", "401: expired 3 hours ago"],
  ["-1", "Accepted; not valid yet: starts in 1 minute (2026-03-01 12:00:00 UTC)"],
  ["-10", "401: not valid yet: starts in 10 minutes (2026-03-01 12:00:00 UTC)"],
];

test("the clock is moved", async ({ playground }) => {
  await playground.use(RULE);
  await playground.ask("repository:team/app:pull");
  const panel = await playground.openPanel("Token");
  for (const [minutes, answer] of times) {
    await panel.getByRole("slider", { name: "Time" }).fill(minutes);
    await expect(panel.getByRole("definition").nth(2)).toContainText(answer);
  }
  await expect(panel.getByRole("definition").nth(2)).toContainText('error="invalid_token"');
});

test("the clock is moved by keys, and says where it is", async ({ playground }) => {
  const panel = await playground.openPanel("Token");
  const clock = panel.getByRole("slider", { name: "Time" });
  await clock.press("ArrowRight");
  await expect(clock).toHaveAttribute("aria-valuetext", "1 min after issue");
  await clock.press("Home");
  await expect(clock).toHaveAttribute("aria-valuetext", "10 min before issue");
});

/** What was done meanwhile; what asking for a token and refreshing one then gives. */
const states: [string, RegExp, RegExp][] = [
  ["Enabled", /^Token issued$/, /^Token issued$/],
  ["Disabled", /^401: token disabled/, /^401: token deleted or disabled/],
  ["Deleted", /^401: token disabled/, /^401: token deleted or disabled/],
  ["Not known", /^Can't tell: /, /^Can't tell: /],
  ["Password expired", /^401: wrong or expired password/, /^Token issued$/],
  ["Password regenerated", /^401: wrong or expired password/, /^401: issued before the token was changed/],
];

test("what was done to the token meanwhile", async ({ playground }) => {
  await playground.use(RULE);
  await playground.ask("repository:team/app:pull");
  const panel = await playground.openPanel("Token");
  for (const [state, asking, refreshing] of states) {
    await panel.getByRole("combobox", { name: "Token state" }).selectOption(state);
    const lines = [asking, refreshing, /^Accepted; expires in 1 hour\. Registries don't check/];
    for (const [index, line] of lines.entries()) {
      await expect(panel.getByRole("definition").nth(index)).toHaveText(line);
    }
  }
});

/** When it was issued, seconds from now, and what is said of it. */
const ages: [number, string][] = [
  [0, "Expires in 1 hour"],
  [-7200, "Expired 1 hour ago"],
  [7200, "Not valid yet: starts in 2 hours (2026-03-01 14:00:00 UTC)"],
];

for (const [age, words] of ages) {
  test(`a pasted token that is ${words}`, async ({ playground }) => {
    await playground.write(token(accessClaims(SECONDS + age, ["team/app", "pull"])));
    const held = playground.more.getByRole("region", { name: "Access token" });
    await expect(held).toContainText(words);
    await expect(held.getByRole("listitem")).toHaveText(["repository:team/app:pull"]);
    await expect(held).toContainText('"alg": "ES256"');
    await expect(held).toContainText('"sub": "MyToken"');
    await expect(held).toContainText(/\d{3} bytes \(without signature\)/);
  });
}

test("whose rights are looked at", async ({ playground, page }) => {
  await playground.use(RULE);
  await playground.write(token(accessClaims(SECONDS, ["team/app", "push"])));
  await playground.ask("repository:team/app:pull,push");
  await playground.says("Partly allowed", "The token can't pull team/app");
  await expect(playground.cell("team/app", "push")).toHaveAccessibleName("team/app push: allowed");
  await page.getByRole("radio", { name: "Scope map" }).check({ force: true });
  await playground.says("Partly allowed", "Can't push to team/app");
  await expect(playground.cell("team/app", "push")).toHaveAccessibleName("team/app push: denied");
  await page.getByRole("radio", { name: "Pasted token" }).check({ force: true });
  await playground.says("Partly allowed", "The token can't pull");
});

test("a pasted token is removed: the focus stays, and it comes back", async ({ playground, page }) => {
  const held = playground.more.getByRole("region", { name: "Access token" });
  await playground.write(token(accessClaims(SECONDS, ["team/app", "push"])));
  await held.getByRole("button", { name: "Remove token" }).press("Enter");
  await expect(held).toHaveCount(0);
  await expect(page.getByRole("radio")).toHaveCount(0);
  await expect(playground.more.getByRole("tab", { name: "Token" })).toBeFocused();
  await expect(playground.announced).toContainText("Token removed. Undo: Ctrl Z.");
  await page.keyboard.press("Control+z");
  await expect(held).toContainText("repository:team/app:push");
});

test("the times of a token are read in the time zone of the reader", async ({ browser, site }) => {
  const berlin = await browser.newContext({ timezoneId: "Europe/Berlin" });
  const page = await berlin.newPage();
  await page.clock.setFixedTime(NOW);
  await page.goto(site.url);
  const playground = new Playground(page);
  await playground.write(token(accessClaims(SECONDS, ["team/app", "push"])));
  const held = playground.more.getByRole("region", { name: "Access token" });
  await expect(held.getByRole("definition")).toHaveText([
    "repository:team/app:push",
    `Mar 1, 2026, 13:00:00 GMT+1 ${SECONDS}`,
    `Mar 1, 2026, 13:00:00 GMT+1 ${SECONDS}`,
    `Mar 1, 2026, 14:00:00 GMT+1 ${SECONDS + 3600}`,
  ]);
  await expect(held.getByRole("time").last()).toHaveAttribute("datetime", "2026-03-01T13:00:00.000Z");
  await berlin.close();
});

/** Claims that no registry writes, and what is still seen of the token. */
const odd: [string, object, string][] = [
  ["times of no calendar", { exp: 1e300, iat: -1e300, nbf: "soon", access: [] }, "None: this token can't access"],
  ["access that is not a list", { exp: SECONDS, access: "everything" }, '"access": "everything"'],
  ["thousands of entries", accessClaims(SECONDS, ...Array(3000).fill(["a", "pull"])), "… and 2,800 more"],
  ["no access at all", { exp: SECONDS + 60 }, "Expires in 1 minute"],
];

test("odd tokens are shown as far as they go", async ({ playground }) => {
  for (const [name, claims, seen] of odd) {
    await test.step(name, async () => {
      await playground.write(token(claims));
      await expect(playground.more.getByRole("tabpanel", { name: "Token" })).toContainText(seen);
    });
  }
});

test("what a token gives access to is in view without a scroll inside of a box", async ({ playground }) => {
  await playground.use(RULE);
  await playground.write(token(accessClaims(SECONDS, ["team/app", "pull"], ["team/web", "pull", "push"])));
  await playground.ask("repository:team/app:pull");
  const parts = playground.more.getByRole("region").locator("pre");
  await expect(parts).toHaveCount(4);
  for (const part of await parts.all()) {
    expect(await part.evaluate((element) => element.scrollHeight <= element.clientHeight)).toBe(true);
  }
});

test.describe("by touch", () => {
  test.use({ viewport: { width: 360, height: 780 }, hasTouch: true, isMobile: true });

  test("tokens fit, and their targets are large", async ({ playground, page }) => {
    await playground.use(RULE);
    await playground.write(token(accessClaims(SECONDS, ["team/a-long-name-of-a-repository/app", "pull", "push"])));
    await playground.ask("repository:team/app:pull");
    const panel = await playground.openPanel("Token");
    await panel.getByRole("slider", { name: "Time" }).fill("240");
    for (const control of await panel.locator("button, select, input").all()) {
      expect((await control.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    }
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  });
});

test("nothing is previewed until something is asked", async ({ playground }) => {
  await playground.use(RULE);
  const panel = await playground.openPanel("Token");
  const preview = panel.getByRole("region", { name: "Preview: the token this map would issue" });
  await expect(preview).toContainText("Check a scope above to preview the token.");
  await expect(preview).not.toContainText("MyToken");
  await expect(preview.getByRole("definition")).toHaveCount(2);
  await playground.ask("repository:team/app:pull");
  await expect(preview).not.toContainText("Check a scope above");
  await expect(preview).toContainText('"sub": "MyToken"');
});

test("a signature is never shown, kept, or put into the link", async ({ playground, page }) => {
  await playground.write(token(accessClaims(SECONDS, ["team/app", "pull"])));
  await expect(playground.more).toContainText("Access token");
  const link = await playground.share();
  const [, packed = ""] = link.split("#1.");
  const unpacked = inflateRawSync(Buffer.from(packed, "base64url")).toString();
  expect(unpacked).toContain("eyJ");
  expect(unpacked).not.toContain(SIGNATURE);
  await page.reload();
  await expect(playground.more).toContainText("Access token");
  expect(await page.evaluate(() => JSON.stringify(localStorage))).toContain("eyJ");
  expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain(SIGNATURE);
  expect(await page.content()).not.toContain(SIGNATURE);
  await expect(playground.field).not.toHaveValue(new RegExp(SIGNATURE));
});

/** Tokens that are not whole, and what is said. */
const cut: [string, string][] = [
  [
    `${token(accessClaims(SECONDS, ["a", "pull"]))
      .split(".")
      .slice(0, 2)
      .join(".")}.`,
    "The signature is missing or incomplete.",
  ],
  [token({ sub: "x", exp: "tomorrow" }), "No expiry (exp) in the token"],
];

test("tokens that are not whole", async ({ playground }) => {
  for (const [text, said] of cut) {
    await playground.write(text);
    await expect(playground.more).toContainText(said);
  }
});

test("a request that is too long for a token is said to be one, and the page comes back", async ({
  playground,
  page,
}) => {
  await playground.openPanel("Token");
  const scopes = Array.from({ length: 129 }, (_, index) => `repository:a${index}:pull`).join(" ");
  await playground.ask(scopes);
  const panel = playground.more.getByRole("tabpanel", { name: "Token" });
  await expect(panel).toContainText("No token issued: Too many scopes (maximum 128)");
  await page.reload();
  await expect(playground.question).toHaveValue(scopes);
  await playground.ask("repository:a:pull");
  await expect(panel).not.toContainText("No token issued");
});
