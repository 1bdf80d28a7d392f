/**
 * A client at work: what it sends, where it fails, what its user reads, and that a fix makes it
 * work.
 */

import { expect, test } from "./page.ts";
import type { Playground } from "./playground.ts";

const READ = "repositories/team/app/content/read";
const WRITE = "repositories/team/app/content/write";
const METADATA = "repositories/team/app/metadata/read";

/** The steps as they are read: what for, and what became of it. */
function steps(playground: Playground) {
  return playground.more.getByRole("tabpanel").getByRole("listitem");
}

/** An operation, the rules, the verdict, and what is read where it ends. */
const runs: [string, string[], "Allowed" | "Denied" | "Partly allowed", string][] = [
  ["docker pull", [READ], "Allowed", "Status: Downloaded newer image"],
  ["docker pull", [], "Denied", "denied: requested access to the resource is denied"],
  ["docker push", [WRITE], "Denied", "denied: requested access to the resource is denied"],
  ["docker push", [READ, WRITE], "Allowed", "v1: digest: sha256:"],
  ["helm dependency update", [READ], "Denied", "team/app"],
  ["helm dependency update", [READ, METADATA], "Allowed", ""],
  ["skopeo inspect", [READ], "Denied", "team/app"],
  ["az acr repository show-tags", [READ], "Denied", "team/app"],
  ["az acr repository show-tags", [METADATA], "Allowed", "v1"],
  ["Renovate: list tags", [METADATA], "Partly allowed", ""],
];

test("operations work or fail by what is granted", async ({ playground }) => {
  await playground.repository.fill("team/app");
  await playground.repository.press("Enter");
  for (const [operation, rules, verdict, printed] of runs) {
    await test.step(`${operation} with ${rules.length} rules`, async () => {
      await playground.use(...rules);
      await playground.run(operation);
      await playground.says(verdict, `${operation} team/app`);
      await expect(playground.more).toContainText(printed);
    });
  }
});

test("every operation that there is to choose can be simulated, and says what it does", async ({ playground }) => {
  await playground.use("repositories/*/content/read");
  const panel = await playground.openPanel("Client");
  const box = panel.getByRole("combobox", { name: "Command" });
  await box.click();
  const names = await playground.page
    .getByRole("listbox")
    .getByRole("option")
    .evaluateAll((options) => options.map((option) => [...option.children].map((child) => child.textContent ?? "")));
  expect(names.length).toBeGreaterThan(50);
  await box.press("Escape");
  for (const [name = "", about = ""] of names) {
    expect(about, name).toMatch(/^[A-Zc].+\.$/);
    await playground.run(name);
    await expect(playground.answer).toContainText(`${name} `);
    await expect(panel).toContainText(`${name} ${about}`);
    await expect(steps(playground).first()).toBeVisible();
  }
});

test("the step that fails is in view, and those after it are not sent", async ({ playground }) => {
  await playground.use(READ);
  await playground.run("docker push");
  await expect(playground.more).toContainText(
    "Refused: POST /v2/team/app/blobs/uploads/ (start upload) needs repository:team/app:pull,push, and the token lacks content/write on team/app.",
  );
  const refused = [
    /^Start upload – refused/,
    /^Upload layer – not sent/,
    /^Finish upload – not sent/,
    /^Check that the layer exists – not sent/,
    /^Put manifest – not sent/,
  ];
  await expect(steps(playground)).toHaveText(refused);
  await expect(steps(playground).first().getByRole("definition")).toHaveText([
    'Bearer realm="https://myregistry.azurecr.io/oauth2/token",service="myregistry.azurecr.io",scope="repository:team/app:pull,push",error="insufficient_scope"',
    "repository:team/app:push,pull",
    "repository:team/app:pull",
    "repository:team/app:push",
  ]);
  const fold = playground.more.getByRole("button", { name: "1 step passes" });
  await fold.press("Enter");
  await expect(fold).toHaveAttribute("aria-expanded", "true");
  await expect(steps(playground)).toHaveText([/^Discover the token server – 401 challenge \(expected\)/, ...refused]);
  await fold.press("Enter");
  await expect(steps(playground)).toHaveText(refused);
});

/** An operation, the rules, and the sentence above the requests. */
const summaries: [string, string[], string][] = [
  ["docker pull", [READ], "All 5 requests are OK."],
  [
    "docker pull",
    [],
    "Refused: HEAD /v2/team/app/manifests/v1 (look up the digest of the tag) needs repository:team/app:pull, and the token lacks content/read on team/app. The client continues without it.",
  ],
  [
    "crane ls",
    [READ],
    "Refused: GET /v2/team/app/tags/list?n=1000 (list tags) needs repository:team/app:metadata_read, and the token lacks metadata/read on team/app.",
  ],
  [
    "crane catalog",
    [READ],
    "Refused: GET /v2/_catalog?n=1000 (list repositories) needs registry:catalog:*, and the token lacks registry:catalog:*.",
  ],
];

test("the refused request, its scope and the missing permission are one sentence", async ({ playground }) => {
  await playground.repository.fill("team/app");
  await playground.repository.press("Enter");
  for (const [operation, rules, sentence] of summaries) {
    await test.step(operation, async () => {
      await playground.use(...rules);
      await playground.run(operation);
      await expect(playground.more).toContainText(sentence);
    });
  }
});

test("a long trace scrolls by itself, and the page stays where it is", async ({ playground, page }) => {
  await page.setViewportSize({ width: 1000, height: 700 });
  await playground.use(READ, WRITE);
  await playground.run("docker push (cross-repository mount)");
  const area = playground.more.getByRole("group", { name: "Requests" });
  await expect(area).toBeVisible();
  await area.scrollIntoViewIfNeeded();
  const before = await page.evaluate(() => scrollY);
  const panel = playground.more.getByRole("tabpanel");
  await panel.getByRole("textbox", { name: "Source repository" }).evaluate((field: HTMLInputElement) => {
    field.value = "base/other";
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  });
  await expect(panel).toContainText("from=base/other".replace("/", "%2F"));
  expect(await page.evaluate(() => scrollY)).toBe(before);
  const { inner, outer } = await area.evaluate((element) => ({
    inner: element.scrollHeight,
    outer: element.clientHeight,
  }));
  expect(inner).toBeGreaterThan(outer);
  expect(outer).toBeLessThanOrEqual(420);
  const refused = panel.getByRole("listitem").filter({ hasText: "refused" }).first();
  await expect(refused).toBeInViewport();
});

test("another repository and another tag", async ({ playground }) => {
  await playground.use(READ);
  await playground.run("docker pull");
  const panel = playground.more.getByRole("tabpanel");
  await panel.getByRole("textbox", { name: "Repository" }).fill("team/web");
  await panel.getByRole("textbox", { name: "Tag" }).fill("v9");
  await playground.says("Denied", "docker pull team/web will fail");
  await expect(panel).toContainText("/v2/team/web/manifests/v9");
});

test("a copy names where it comes from", async ({ playground }) => {
  await playground.use(READ, WRITE);
  await playground.run("crane copy");
  const source = playground.more.getByRole("textbox", { name: "Source repository" });
  await source.fill("base/debian");
  await playground.says("Denied", "Can't pull base/debian");
  await source.fill("team/app");
  await playground.says("Allowed");
});

test("the registries differ in what listing tags needs", async ({ playground, page }) => {
  await playground.use(READ);
  await playground.run("crane ls");
  await playground.says("Denied", "Can't read the metadata of team/app");
  await page.getByRole("combobox", { name: "Registry type" }).selectOption("CNCF Distribution");
  await playground.says("Allowed");
});

test("a fix that is tried makes the client work, and Undo takes it back", async ({ playground }) => {
  await playground.use(WRITE);
  await playground.run("docker push");
  await playground.says("Denied", "docker push team/app will fail");
  await playground.answer.getByRole("button", { name: "Apply to this map" }).click();
  await playground.says("Allowed", "docker push team/app will work");
  expect(await playground.rules()).toEqual([WRITE, READ]);
  await expect(steps(playground).last()).toContainText("Put manifest – OK");
  await playground.undo.click();
  await playground.says("Denied", "docker push team/app will fail");
  expect(await playground.rules()).toEqual([WRITE]);
});

test("the operation that a paste asks for is the one that is chosen", async ({ playground, page }) => {
  await playground.write("docker push myregistry.azurecr.io/team/app:v1");
  const box = playground.more.getByRole("combobox", { name: "Command" });
  await expect(box).toHaveValue("docker push");
  await page.reload();
  await expect(box).toHaveValue("docker push");
});

/** What is typed into the list of commands, and what is offered first then. */
const searches: [string, string][] = [
  ["docker pu", "docker pull"],
  ["PUSH docker", "docker push"],
  ["kubernetes", "Kubernetes node: pull image"],
  ["locks or unlocks", "az acr repository update"],
  ["newest version within", "helm dependency update"],
];

test("the list of commands is filtered by name and description", async ({ playground, page }) => {
  const box = (await playground.openPanel("Client")).getByRole("combobox", { name: "Command" });
  for (const [typed, name] of searches) {
    await test.step(typed, async () => {
      await box.fill(typed);
      const active = await box.getAttribute("aria-activedescendant");
      await expect(page.locator(`[id="${active}"]`)).toHaveAccessibleName(name);
      await box.press("Enter");
      await expect(box).toHaveValue(name);
      await expect(box).toHaveAttribute("aria-expanded", "false");
    });
  }
});

test("the list of commands by keys alone", async ({ playground, page }) => {
  await playground.write("docker push myregistry.azurecr.io/team/app:v1");
  const box = (await playground.openPanel("Client")).getByRole("combobox", { name: "Command" });
  const list = page.getByRole("listbox", { name: "Command" });
  await box.focus();
  await expect(list).toHaveCount(0);
  await page.keyboard.press("ArrowDown");
  await expect(list.getByRole("option", { selected: true })).toHaveAccessibleName("docker push");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await expect(list.getByRole("option", { selected: true })).toHaveAccessibleName("docker pull");
  await page.keyboard.press("Escape");
  await expect(list).toHaveCount(0);
  await expect(box).toHaveValue("docker push");
  await page.keyboard.type("nothing of this name");
  await expect(playground.more).toContainText("No match.");
  await page.keyboard.press("Enter");
  await expect(box).toHaveValue("docker push");
  await page.keyboard.type("helm pull");
  await page.keyboard.press("Tab");
  await expect(list).toHaveCount(0);
  await expect(box).toHaveValue("docker push");
  await box.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await playground.says("Can't tell yet", "docker pull team/app");
  await expect(box).toBeFocused();
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 360, height: 780 }, hasTouch: true, isMobile: true });

  test("a command is chosen by touch, and the list is within the page", async ({ playground, page }) => {
    const box = (await playground.openPanel("Client")).getByRole("combobox", { name: "Command" });
    await box.tap();
    const option = page.getByRole("option", { name: "docker pull", exact: true });
    const [list, target] = [await page.getByRole("listbox").boundingBox(), await option.boundingBox()];
    expect(list?.x).toBeGreaterThanOrEqual(0);
    expect((list?.x ?? 0) + (list?.width ?? 0)).toBeLessThanOrEqual(360);
    expect(target?.height).toBeGreaterThanOrEqual(44);
    await option.tap();
    await expect(box).toHaveValue("docker pull");
    await playground.says("Can't tell yet", "docker pull");
  });
});
