/** Two maps compared by what they grant, with a repository to prove each difference. */

import { expect, test } from "./page.ts";
import { type Playground, paste } from "./playground.ts";

async function compare(playground: Playground, before: string[], after: string[]): Promise<void> {
  await playground.use(...after);
  const panel = await playground.openPanel("Compare");
  const field = panel.getByRole("textbox", { name: "The map before" });
  await field.fill("");
  await paste(field, JSON.stringify(before));
}

const [READ, WRITE] = ["repositories/team/app/content/read", "repositories/team/app/content/write"];

/** The map before, the one after, and the rows: on, gained, lost, for example. */
const differences: [string, string[], string[], string[]][] = [
  ["gained", [READ], [READ, WRITE], ["team/app +push team/app"]],
  ["lost", [READ, WRITE], [READ], ["team/app −push team/app"]],
  ["one for another", [READ], [WRITE], ["team/app +push −pull team/app"]],
  [
    "from all below to one",
    ["repositories/team/*/content/read"],
    [READ],
    ["team/* −pull team/a", "team/app/* −pull team/app/a"],
  ],
  ["from nothing", [], [READ], ["team/app +pull team/app"]],
];

test("what is gained and lost", async ({ playground }) => {
  for (const [name, before, after, rows] of differences) {
    await test.step(name, async () => {
      await compare(playground, before, after);
      const body = playground.more.getByRole("row").filter({ has: playground.page.getByRole("rowheader") });
      await expect(body).toHaveCount(rows.length);
      const read = await body.evaluateAll((all) =>
        all.map((row) =>
          [...row.children]
            .map((cell) => cell.textContent?.trim())
            .filter(Boolean)
            .join(" "),
        ),
      );
      expect(read).toEqual(rows);
    });
  }
});

/** Maps of other words that grant the same. */
const equal: [string[], string[]][] = [
  [
    [READ, WRITE],
    [WRITE, READ],
  ],
  [["repositories/team/*/content/read", READ], ["repositories/team/*/content/read"]],
  [[READ, READ], [READ]],
  [["nothing that is a rule"], []],
];

test("other words that grant the same are equal", async ({ playground }) => {
  for (const [before, after] of equal) {
    await test.step(JSON.stringify([before, after]), async () => {
      await compare(playground, before, after);
      await expect(playground.more).toContainText("No difference: both grant exactly the same access.");
    });
  }
});

test("an invalid old rule is said to grant nothing", async ({ playground }) => {
  await compare(playground, ["repositories/a*/content/read", READ], [READ]);
  await expect(playground.more).toContainText("repositories/a*/content/read has no effect: no slash before the `*`");
});

test("pressing the example asks for it", async ({ playground }) => {
  await compare(playground, ["repositories/team/*/content/read"], ["repositories/team/*/content/write"]);
  await playground.more.getByRole("button", { name: "team/a", exact: true }).click();
  await expect(playground.question).toHaveValue("repository:team/a:push,pull");
  await playground.says("Partly allowed", "Can't pull team/a");
});

test("the current map is taken as the old one, and edits show what they change", async ({ playground }) => {
  await playground.use(READ);
  const panel = await playground.openPanel("Compare");
  await expect(panel).toContainText("Paste an older version to see what changed.");
  await panel.getByRole("button", { name: 'Use current map as "before"' }).click();
  await expect(panel).toContainText("No difference");
  await playground.map.getByRole("textbox", { name: "Add rules" }).fill(WRITE);
  await playground.map.getByRole("button", { name: "Add", exact: true }).click();
  await expect(panel.getByRole("rowheader")).toHaveText(["team/app"]);
  await expect(panel).toContainText("+push");
  await panel.getByRole("button", { name: "Remove" }).click();
  await expect(panel).toContainText("Paste an older version to see what changed.");
  await expect(panel.getByRole("textbox", { name: "The map before" })).toBeFocused();
});

test("the heaviest difference is first, and the result is copied for a review and for CI", async ({ playground }) => {
  const before = ["repositories/b/content/read"];
  const after = ["repositories/a/content/read", "repositories/team/*/content/delete"];
  await compare(playground, before, after);
  await expect(playground.more.getByRole("rowheader").first()).toContainText("team/*");
  const comment = await playground.copied(playground.more.getByRole("button", { name: "Copy as PR comment" }));
  expect(comment).toContain("| `team/*` | `delete` |  | `team/a` |");
  await playground.more.getByRole("button", { name: "Copy as CI check" }).click();
  await expect(playground.announced).toContainText("copied: the check for CI");
});

test("any form of a map is taken as the old one", async ({ playground }) => {
  await playground.use(READ);
  const panel = await playground.openPanel("Compare");
  await paste(
    panel.getByRole("textbox", { name: "The map before" }),
    `name: ci\nproperties:\n  actions:\n    - ${WRITE}\n`,
  );
  await expect(panel.getByRole("textbox", { name: "The map before" })).toHaveValue(WRITE);
  await expect(panel).toContainText("−push");
});

test("all of what is pasted as the old map counts, or is shown to be no rule", async ({ playground }) => {
  await playground.use(READ, WRITE);
  const panel = await playground.openPanel("Compare");
  const before = panel.getByRole("textbox", { name: "The map before" });
  for (const [text, said] of [
    [`${READ}\nteam lead says:\n${WRITE}`, "team lead says: has no effect"],
    ["az acr scope-map create -n a -r r --repository team/app content/read content/write", "No difference"],
  ] as const) {
    await before.fill(text);
    await expect(panel).toContainText(said);
  }
});

test("several maps as the old one are never added up", async ({ playground }) => {
  await playground.use(READ, WRITE);
  const panel = await playground.openPanel("Compare");
  const before = panel.getByRole("textbox", { name: "The map before" });
  const maps = [READ, WRITE].map((rule, index) => JSON.stringify({ name: `map-${index}`, actions: [rule] }));
  await paste(before, maps.join("\n"));
  await expect(panel).toContainText("This text has 2 scope maps. A token has one of them: keep one here.");
  await expect(panel.getByRole("rowheader")).toHaveCount(0);
  await before.blur();
  await expect(before).toHaveValue(maps.join("\n"));
  await before.fill(maps[0] ?? "");
  await expect(panel.getByRole("rowheader")).toHaveText(["team/app"]);
});

test("an emptied field leaves nothing to compare with", async ({ playground }) => {
  await compare(playground, [READ], [READ, WRITE]);
  await playground.more.getByRole("textbox", { name: "The map before" }).fill("");
  await expect(playground.more).toContainText("Paste an older version to see what changed.");
  await expect(playground.more.getByRole("rowheader")).toHaveCount(0);
});

test("delete and push below a wildcard come before delete of one repository", async ({ playground }) => {
  await compare(
    playground,
    ["repositories/c/content/delete"],
    ["repositories/a/content/delete", "repositories/b/*/metadata/write", "repositories/team/*/content/write"],
  );
  await expect(playground.more.getByRole("rowheader")).toContainText(["team/*", "a", "b/*", "c"]);
});

test("what is gained by repositories that are not there yet is said in words", async ({ playground }) => {
  await compare(
    playground,
    [],
    ["repositories/team/*/content/delete", "repositories/b/content/delete", "repositories/c/*/content/read"],
  );
  await expect(playground.more.getByRole("rowheader")).toHaveText([
    "team/*Any new repository below team/, too",
    "b",
    "c/*",
  ]);
});

test("many differences are put in the order of their names, and shown a part at a time", async ({ playground }) => {
  const rules = Array.from(
    { length: 450 },
    (_, index) => `repositories/r${index}/content/${index === 7 ? "delete" : "read"}`,
  );
  await compare(playground, [], rules);
  const heads = playground.more.getByRole("rowheader");
  await expect(heads).toHaveCount(200);
  await expect(heads.first()).toHaveText("r7");
  const head = playground.more.getByRole("columnheader", { name: "Repositories" });
  for (const [direction, first] of [
    ["ascending", "r0"],
    ["descending", "r99"],
    [null, "r7"],
  ] as const) {
    await head.getByRole("button").click();
    if (direction === null) await expect(head).not.toHaveAttribute("aria-sort");
    else await expect(head).toHaveAttribute("aria-sort", direction);
    await expect(heads.first()).toHaveText(first);
  }
  await playground.more.getByRole("button", { name: "Show 200 more of 450 rows" }).click();
  await expect(heads).toHaveCount(400);
  await playground.more.getByRole("button", { name: "Show 50 more of 450 rows" }).click();
  await expect(heads).toHaveCount(450);
  await expect(playground.announced).toContainText("450 rows shown.");
  await expect(playground.more.getByRole("table")).toBeFocused();
});

test("before and after are swapped", async ({ playground }) => {
  await compare(playground, [READ], [READ, WRITE]);
  await expect(playground.more).toContainText("+push");
  await playground.more.getByRole("button", { name: "Swap before and after" }).click();
  await expect(playground.more).toContainText("−push");
  await expect(playground.more.getByRole("heading", { level: 3 })).toHaveText("MyScopeMap → the pasted map");
  await expect(playground.more.getByRole("textbox", { name: "The map after" })).toHaveValue(READ);
  await expect(playground.more.getByRole("button", { name: "Swap before and after" })).toBeFocused();
  await expect(playground.announced).toContainText("Comparing MyScopeMap with the pasted map.");
  await playground.more.getByRole("button", { name: "Swap before and after" }).click();
  await expect(playground.more).toContainText("+push");
});

test("a map that is removed is not replaced by the one that it was compared with", async ({ playground }) => {
  await playground.write(
    [READ, WRITE].map((rule, index) => JSON.stringify({ name: `map-${index}`, actions: [rule] })).join("\n"),
  );
  const panel = await playground.openPanel("Compare");
  await paste(panel.getByRole("textbox", { name: "Another map" }), JSON.stringify([READ, WRITE]));
  const [before, after] = ["Before", "After"].map((name) => panel.getByRole("combobox", { name }));
  await before?.selectOption("map-1");
  await after?.selectOption("the pasted map");
  await expect(panel.getByRole("heading", { level: 3 })).toHaveText("map-1 → the pasted map");
  await playground.map.nth(1).getByRole("button", { name: "Remove map" }).click();
  await expect(panel.getByRole("heading", { level: 3 })).toHaveText("map-0 → the pasted map");
  await expect(panel.getByRole("rowheader")).toHaveText(["team/app"]);
  await playground.undo.click();
  await expect(panel.getByRole("heading", { level: 3 })).toHaveText("map-1 → the pasted map");
  await playground.map.nth(0).getByRole("button", { name: "Remove map" }).click();
  await expect(panel.getByRole("heading", { level: 3 })).toHaveText("map-1 → the pasted map");
});

test("what is being typed is kept already", async ({ playground, page }) => {
  await playground.use(READ);
  const panel = await playground.openPanel("Compare");
  await panel.getByRole("textbox", { name: "The map before" }).pressSequentially(WRITE);
  await expect(panel.getByRole("textbox", { name: "The map before" })).toBeFocused();
  await expect.poll(() => page.evaluate(() => localStorage.getItem("scopegate.model") ?? "")).toContain(`"${WRITE}"]`);
});
