/** Repositories by actions: every cell says allowed or denied, and why when it is pressed. */

import { expect, test } from "./page.ts";
import { type Action, paste } from "./playground.ts";

const RULES = [
  "repositories/team/*/content/read",
  "repositories/team/app/content/write",
  "repositories/team/web/content/delete",
];

const cells: [string, Action, "allowed" | "denied"][] = [
  ["team/app", "pull", "allowed"],
  ["team/app", "push", "allowed"],
  ["team/app", "delete", "denied"],
  ["team/app", "metadata_read", "denied"],
  ["team/app", "metadata_write", "denied"],
  ["team/web", "pull", "allowed"],
  ["team/web", "push", "denied"],
  ["team/web", "delete", "allowed"],
];

test("each cell says its name, its action and its verdict", async ({ playground }) => {
  await playground.use(...RULES);
  for (const [repository, action, verdict] of cells) {
    await expect(playground.cell(repository, action)).toHaveAccessibleName(
      `${repository} ${action.replace("_", " ")}: ${verdict}`,
    );
  }
});

test("rows and columns have headers", async ({ playground }) => {
  await playground.use(...RULES);
  const headers = playground.matrix.getByRole("columnheader");
  await expect(headers).toHaveText(["repository", /^pull/, /^push/, /^delete/, /^metadata read/, /^metadata write/]);
  await expect(playground.matrix.getByRole("rowheader", { name: "team/app", exact: true })).toBeVisible();
  await expect(playground.matrix.getByRole("grid", { name: "Repositories" })).toHaveAccessibleDescription(
    "Select a cell to see why, or to change it. Arrow keys move.",
  );
});

const ways: [string, (press: { click: () => Promise<void>; key: (name: string) => Promise<void> }) => Promise<void>][] =
  [
    ["the mouse", ({ click }) => click()],
    ["Enter", ({ key }) => key("Enter")],
    ["the space bar", ({ key }) => key("Space")],
  ];

for (const [name, press] of ways) {
  test(`pressing a cell with ${name} shows the rule that decides`, async ({ playground }) => {
    await playground.use(...RULES);
    const allowed = playground.cell("team/app", "push");
    await press({ click: () => allowed.click(), key: (key) => allowed.press(key) });
    await expect(playground.question).toHaveValue("repository:team/app:push");
    await playground.says("Allowed", "Can push to team/app: granted by team/app content/write");
    await expect(playground.gridcell(allowed)).toHaveAttribute("aria-selected", "true");

    const denied = playground.cell("team/web", "push");
    await press({ click: () => denied.click(), key: (key) => denied.press(key) });
    await playground.says("Denied", "Can't push to team/web");
    await expect(playground.answer.getByRole("group")).toContainText(
      "team/* content/read in MyScopeMap – covers it, but grants another action",
    );
    await expect(playground.gridcell(allowed)).toHaveAttribute("aria-selected", "false");
  });
}

test("the rule that grants is in the reasons", async ({ playground }) => {
  await playground.use(...RULES);
  await playground.cell("team/app", "pull").click();
  await expect(playground.answer.getByRole("group")).toContainText("team/* content/read in MyScopeMap");
});

/** From the first cell: keys, and the cell that has the focus then. */
const walks: [string[], string, Action][] = [
  [["ArrowRight"], "team/app", "push"],
  [["ArrowDown"], "team/web", "pull"],
  [["ArrowDown", "ArrowRight", "ArrowRight", "ArrowUp", "ArrowLeft"], "team/app", "push"],
  [["ArrowUp"], "team/app", "pull"],
  [["ArrowLeft", "ArrowLeft", "ArrowRight"], "team/app", "pull"],
  [["End"], "team/app", "metadata_write"],
  [["End", "ArrowRight", "Home"], "team/app", "pull"],
  [["Control+End"], "a", "metadata_write"],
  [["Control+End", "Control+Home"], "team/app", "pull"],
  [["PageDown"], "a", "pull"],
  [["PageDown", "PageUp"], "team/app", "pull"],
];

test("arrow keys move, and the matrix is one stop of the tab key", async ({ playground, page }) => {
  await playground.use(...RULES);
  await playground.repository.fill("team/app team/web base/debian");
  await playground.repository.press("Enter");
  for (const [keys, repository, action] of walks) {
    await playground.cell("team/app", "pull").focus();
    for (const key of keys) await page.keyboard.press(key);
    await expect(playground.cell(repository, action)).toBeFocused();
  }
  await page.keyboard.press("Enter");
  await expect(playground.question).toHaveValue("repository:team/app:pull");
  const change = playground.matrix.getByRole("region", { name: "Revoke pull" });
  await expect(change).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(change.getByRole("button").first()).toBeFocused();
});

test("the keys reach the button that removes a row", async ({ playground, page }) => {
  await playground.use(...RULES);
  await playground.repository.fill("base/debian base/alpine");
  await playground.repository.press("Enter");
  await playground.cell("base/debian", "pull").focus();
  await page.keyboard.press("ArrowLeft");
  await expect(playground.matrix.getByRole("button", { name: "remove base/debian" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(playground.row("base/debian")).toHaveCount(0);
  await expect(playground.announced).toContainText("base/debian removed.");
});

/** Names in 25 folders, and rules for some of them. */
const MANY = Array.from({ length: 120 }, (_, index) => `team${index % 25}/app${index}`);
const MANY_RULES = Array.from({ length: 500 }, (_, index) => `repositories/team${index % 25}/app${index}/content/read`);

test("many rows: within the window, under a head, and drawn where one looks", async ({ playground, page }) => {
  await paste(playground.field, `${JSON.stringify({ name: "large", actions: MANY_RULES })}\n${MANY.join("\n")}`);
  const grid = playground.matrix.getByRole("grid");
  await expect(grid).toHaveAttribute("aria-rowcount", "146");
  expect((await playground.matrix.locator(".scroll").boundingBox())?.height).toBeLessThanOrEqual(720 * 0.6);
  expect(await grid.getByRole("gridcell").count()).toBeLessThan(400);
  await playground.cell("team0/app0", "pull").focus();
  await page.keyboard.press("Control+End");
  const last = playground.cell("team24/app99", "metadata_write");
  await expect(last).toBeFocused();
  await expect(last).toBeInViewport();
  await expect(playground.matrix.getByRole("columnheader", { name: /^pull/ })).toBeInViewport();
  for (let key = 0; key < 20; key += 1) await page.keyboard.press("PageUp");
  await expect(playground.matrix.getByRole("button", { name: /^team0\/ 5$/ })).toBeFocused();
});

test("rows are found by a filter, and closed by their heading", async ({ playground }) => {
  await paste(playground.field, MANY.join("\n"));
  const heading = playground.matrix.getByRole("button", { name: /^team3\/ 5$/ });
  await heading.click();
  await expect(heading).toHaveAttribute("aria-expanded", "false");
  await expect(playground.row("team3/app3")).toHaveCount(0);
  const filter = playground.matrix.getByRole("searchbox", { name: "Filter" });
  await filter.fill("APP10");
  await expect(playground.matrix).toContainText("11 of 120 rows");
  expect(await playground.repositories()).toEqual([10, ...Array.from({ length: 10 }, (_, n) => 100 + n)].map(named));
  await filter.fill("team3/");
  await expect(playground.row("team3/app3")).toBeVisible();
  await filter.fill("nothing");
  await expect(playground.matrix).toContainText("No repository here matches the filter.");
  await filter.fill("");
  await expect(playground.row("team3/app3")).toHaveCount(0);
});

function named(index: number): string {
  return `team${index % 25}/app${index}`;
}

test("what is printed is whole", async ({ playground, page }) => {
  await paste(playground.field, MANY.join("\n"));
  await expect(playground.matrix.getByRole("grid")).toHaveAttribute("aria-rowcount", "146");
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  await expect(playground.matrix.getByRole("gridcell")).toHaveCount(120 * 5);
});

test("rows that cover all that could be say so", async ({ playground }) => {
  const claim = playground.matrix.getByText("These rows cover every repository there could be.");
  await playground.use(...RULES);
  await expect(claim).toBeVisible();
  await playground.write("az acr scope-map update -n ci -r contoso --add-repository team/app content/read\n");
  await expect(playground.cell("team/app", "pull")).toBeVisible();
  await expect(claim).toHaveCount(0);
  await playground.use(...Array.from({ length: 8 }, (_, index) => `repositories/r${index}/content/read`));
  await expect(claim).toHaveCount(0);
});

test("the rules propose repositories: each named one, one below each prefix, one that nothing matches", async ({
  playground,
}) => {
  await playground.use("repositories/team/app/content/read", "repositories/base/*/content/read");
  expect(await playground.repositories()).toEqual(["base", "base/a", "team/app", "team/app/a", "a"]);
  await expect(playground.row("base/a")).toContainText("Others below base/");
  await expect(playground.row("a")).toContainText("Other repositories not named by a rule");
});

test("proposals are kept, taken away, and proposed again", async ({ playground }) => {
  await playground.use("repositories/base/*/content/read");
  const proposed = await playground.repositories();
  await playground.matrix.getByRole("button", { name: "Pin suggestions" }).click();
  expect(await playground.repositories()).toEqual(expect.arrayContaining(proposed));
  await expect(playground.matrix.getByRole("button", { name: /^remove / })).toHaveCount(proposed.length);
  await playground.matrix.getByRole("button", { name: "Remove pinned" }).click();
  expect(await playground.repositories()).toEqual(proposed);
  await expect(playground.matrix.getByRole("button", { name: /^remove / })).toHaveCount(0);
});

test("one is added and removed", async ({ playground }) => {
  await playground.repository.fill("team/new");
  await playground.matrix.getByRole("button", { name: "Add" }).click();
  await expect(playground.cell("team/new", "pull")).toBeVisible();
  await expect(playground.announced).toHaveText("Added team/new.");
  await expect(playground.repository).toBeEmpty();
  await playground.matrix.getByRole("button", { name: "remove team/new" }).click();
  await expect(playground.cell("team/new", "pull")).toHaveCount(0);
  await expect(playground.announced).toContainText("team/new removed.");
});

/** Lists as people have them. */
const lists: [string, string][] = [
  ["lines", "team/app\nteam/web\nteam/db"],
  ["lines of Windows", "team/app\r\nteam/web\r\nteam/db\r\n"],
  ["commas", "team/app, team/web,team/db"],
  ["words", "team/app team/web\tteam/db"],
  ["the same twice", "team/app\nteam/web\nteam/db\nteam/app"],
];

test("pasted lists", async ({ playground }) => {
  for (const [name, text] of lists) {
    await test.step(name, async () => {
      await paste(playground.repository, text);
      await expect(playground.matrix.getByRole("button", { name: /^remove / })).toHaveCount(3);
      expect(await playground.repositories()).toEqual(["team/app", "team/web", "team/db"]);
      await playground.matrix.getByRole("button", { name: "Remove pinned" }).click();
    });
  }
});

test("a single name that is pasted may still be edited", async ({ playground }) => {
  await paste(playground.repository, "team/app");
  await expect(playground.repository).toHaveValue("team/app");
});

/** Invalid names, and the message for each. */
const invalid: [string, string][] = [
  ["Team/app", "Uppercase letter in the repository name. Repository names must be lowercase."],
  ["team//app", "Extra slash."],
  ["a..b", "Misplaced separator."],
  ["<img>", "Invalid character in the repository name."],
];

test("names that are none", async ({ playground }) => {
  await playground.use("repositories/*/content/read");
  for (const [name, problem] of invalid) {
    await test.step(name, async () => {
      await playground.repository.fill(name);
      await playground.repository.press("Enter");
      await expect(playground.row(name)).toContainText(problem);
      await expect(playground.cell(name, "pull")).toBeDisabled();
      await playground.matrix.getByRole("button", { name: `remove ${name}` }).click();
      await expect(playground.row(name)).toHaveCount(0);
    });
  }
});

test("what is below an answer stays where it is, whatever shorter one comes next", async ({ playground }) => {
  await playground.use(...RULES);
  await playground.cell("team/app", "metadata_write").click();
  await playground.says("Denied");
  const top = () => playground.matrix.evaluate((card) => card.getBoundingClientRect().top + scrollY);
  const before = await top();
  for (const action of ["pull", "push", "delete", "metadata_write"] as const) {
    await playground.cell("team/app", action).click();
    expect(await top()).toBe(before);
  }
});

test("the answer is before the map, for eyes and for keys", async ({ playground, page }) => {
  await playground.use(...RULES);
  await playground.ask("repository:team/app:pull");
  const answerFirst = () =>
    page.evaluate(() => {
      const [answer, map] = [".answer", ".map h2"].map((one) => document.querySelector(one));
      const follows = answer?.compareDocumentPosition(map as Node) === Node.DOCUMENT_POSITION_FOLLOWING;
      const isAbove = (answer?.getBoundingClientRect().top ?? 0) < (map?.getBoundingClientRect().top ?? 0);
      return [follows, isAbove];
    });
  await page.setViewportSize({ width: 360, height: 800 });
  await expect.poll(answerFirst).toEqual([true, true]);
  await playground.says("Allowed");
  await page.setViewportSize({ width: 1400, height: 800 });
  await expect.poll(answerFirst).toEqual([true, true]);
  await playground.says("Allowed");
});

test("more of what the rules tell apart is proposed when one asks", async ({ playground }) => {
  await playground.use(...Array.from({ length: 8 }, (_, index) => `repositories/r${index}/content/read`));
  expect(await playground.repositories()).toHaveLength(8);
  await playground.matrix.getByRole("button", { name: "Suggest 9 more" }).click();
  await expect(playground.matrix.getByRole("button", { name: /^remove / })).toHaveCount(9);
  await playground.matrix.getByRole("button", { name: "Suggest 8 more" }).click();
  await expect(playground.matrix.getByRole("button", { name: /^remove / })).toHaveCount(17);
  await expect(playground.matrix.getByRole("button", { name: /^Suggest/ })).toHaveCount(0);
});

test.describe("on a touch screen", () => {
  test.use({ hasTouch: true, isMobile: true, viewport: { width: 360, height: 740 } });

  test("what removes a rule or a repository, and what changes a cell, is 44 pixels high", async ({ playground }) => {
    await playground.use(...RULES);
    await playground.repository.fill("team/app");
    await playground.repository.press("Enter");
    await playground.cell("team/app", "delete").click();
    const change = playground.matrix.getByRole("region", { name: "Grant delete" });
    for (const button of [
      playground.map.getByRole("button", { name: /^remove / }).first(),
      playground.matrix.getByRole("button", { name: "remove team/app" }),
      change.getByRole("button").first(),
    ]) {
      expect((await button.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    }
  });
});

test("an example of a class that was added is not said to cover the class", async ({ playground }) => {
  const rules = ["team/*", "base/*", "libs/*", "apps/web", "apps/api"];
  await playground.use(...rules.map((pattern) => `repositories/${pattern}/content/read`));
  await playground.matrix.getByRole("button", { name: /^Suggest/ }).click();
  await expect(playground.matrix.getByRole("button", { name: /^Suggest/ })).toHaveCount(0);
  await expect(playground.matrix).not.toContainText("These rows cover every repository");
});
