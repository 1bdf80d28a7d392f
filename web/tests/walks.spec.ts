/**
 * The five walks: what people come for, and how many actions they need for it.
 *
 * An action is a paste, a press of a button or of a key that does something, a choice, or one text
 * that is typed; a stop is one press of the tab key.
 */

import type { Locator } from "@playwright/test";

import { expect, test } from "./page.ts";
import { type Playground, paste } from "./playground.ts";
import { AZ_MAP, accessClaims, PUSH, token } from "./texts.ts";

const BARE = "denied: requested access to the resource is denied\n";
const KUBELET = `Events:
  Type     Reason     Age                From     Message
  ----     ------     ----               ----     -------
  Normal   Pulling    59m (x3 over 60m)  kubelet  Pulling image "myregistry.azurecr.io/shop/web:v3"
  Warning  Failed     59m (x3 over 60m)  kubelet  Failed to pull image "myregistry.azurecr.io/shop/web:v3": failed to authorize: failed to fetch oauth token: unexpected status from POST request to https://myregistry.azurecr.io/oauth2/token: 401 Unauthorized
`;

/** Counts what a person does. */
class Walk {
  actions = 0;

  async paste(into: Locator, text: string): Promise<void> {
    this.actions += 1;
    await paste(into, text);
  }

  async press(target: Locator): Promise<void> {
    this.actions += 1;
    await target.click();
  }

  /** Types a choice, and takes the first that is found. */
  async choose(target: Locator, option: string): Promise<void> {
    this.actions += 1;
    await target.fill(option);
    await target.press("Enter");
  }

  /** Types a text and ends it with the enter key. */
  async enter(into: Locator, text: string): Promise<void> {
    this.actions += 2;
    await into.pressSequentially(text);
    await into.press("Enter");
  }
}

test("a developer with one line of an error: a paste and a pick", async ({ playground }) => {
  const walk = new Walk();
  await walk.paste(playground.field, BARE);
  await walk.choose(playground.answer.getByRole("combobox", { name: "Command" }), "docker pull");
  await expect(playground.answer).toContainText("docker pull needs content/read on the image's repository.");
  expect(walk.actions).toBeLessThanOrEqual(2);
});

test("from that line to a message for the registry's owner", async ({ playground }) => {
  const walk = new Walk();
  await walk.paste(playground.field, BARE);
  await walk.enter(playground.answer.getByRole("textbox", { name: "Image" }), "myregistry.azurecr.io/samples/nginx:v1");
  await walk.press(playground.answer.getByRole("button", { name: "Ask the registry owner" }));
  await expect(playground.announced).toContainText("the message to the registry's owner");
  const message = await playground.page.evaluate(() => navigator.clipboard.readText());
  expect(message).toContain("--add-repository samples/nginx content/read content/write");
  expect(walk.actions).toBeLessThanOrEqual(4);
});

test("an owner writes a map of two rules, and takes it out", async ({ playground }) => {
  const walk = new Walk();
  const field = playground.map.getByRole("textbox", { name: "Add rules" });
  await walk.enter(field, "team/*:pull");
  await walk.enter(field, "base/*:pull");
  await walk.press(playground.map.getByRole("button", { name: "Export" }));
  await walk.press(playground.page.getByRole("menuitem", { name: "az create" }));
  await expect(playground.announced).toContainText("copied: ");
  const command = await playground.page.evaluate(() => navigator.clipboard.readText());
  expect(command).toContain("--repository 'team/*' content/read");
  expect(command).toContain("--repository 'base/*' content/read");
  expect(walk.actions).toBeLessThanOrEqual(6);
});

test("a reviewer reads what a token can do after one paste", async ({ playground }) => {
  const walk = new Walk();
  const issued = accessClaims(Date.now() / 1000 - 60, ["team/app", "pull", "push"], ["base/debian", "pull"]);
  await walk.paste(playground.field, token(issued));
  await expect(playground.headline).toHaveText(/can pull and push to team\/app and pull base\/debian/);
  await expect(playground.cell("team/app", "push")).toHaveAccessibleName(/allowed/);
  await expect(playground.cell("base/debian", "push")).toHaveAccessibleName(/denied/);
  expect(walk.actions).toBe(1);
});

test("a reviewer sees the exact difference after two actions", async ({ playground }) => {
  const map = (name: string, ...rules: string[]) =>
    JSON.stringify({ name, actions: rules.map((rule) => `repositories/${rule}`) });
  const walk = new Walk();
  await walk.paste(
    playground.field,
    `${map("ci-old", "base/*/content/read", "team/app/content/read")}\n${map("ci-new", "team/*/content/read", "team/*/content/delete")}`,
  );
  await walk.press(playground.answer.getByRole("button", { name: /^Compare/ }));
  const rows = playground.more.getByRole("tabpanel", { name: "Compare" }).getByRole("row");
  await expect(rows.filter({ hasText: "base/" })).toContainText("pull");
  await expect(rows.filter({ hasText: "team/" }).first()).toContainText("delete");
  expect(walk.actions).toBe(2);
});

test("who is on call reads the deciding sentence on a phone", async ({ playground, page }) => {
  await page.setViewportSize({ width: 360, height: 780 });
  const walk = new Walk();
  await walk.paste(playground.field, KUBELET);
  await expect(playground.headline).toHaveText(/^Login failed/);
  await page.evaluate(() => scrollTo(0, 0));
  await expect(playground.headline).toBeInViewport({ ratio: 1 });
  expect(walk.actions).toBe(1);
});

test("by keys, the fix is at most four stops from the field", async ({ playground }) => {
  await paste(playground.field, PUSH + AZ_MAP);
  expect(await stopsTo(playground, "copy the fix as az")).toBeLessThanOrEqual(4);
});

/** Presses the tab key until a button of the answer has the focus. */
async function stopsTo(playground: Playground, name: string): Promise<number> {
  const button = playground.answer.getByRole("button", { name });
  for (let stops = 1; stops < 100; stops += 1) {
    await playground.page.keyboard.press("Tab");
    if (await button.evaluate((one) => one === document.activeElement)) return stops;
  }
  throw new Error(`the tab key never comes to ${name}`);
}
