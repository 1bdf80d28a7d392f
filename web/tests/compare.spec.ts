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
      await expect(playground.more).toContainText("Both maps grant the same, on every repository there could be.");
    });
  }
});

test("an invalid old rule is said to grant nothing", async ({ playground }) => {
  await compare(playground, ["repositories/a*/content/read", READ], [READ]);
  await expect(playground.more).toContainText("repositories/a*/content/read grants nothing: no slash before the `*`");
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
  await expect(panel).toContainText("Nothing to compare with yet.");
  await panel.getByRole("button", { name: "Take the current one" }).click();
  await expect(panel).toContainText("Both maps grant the same");
  await playground.map.getByRole("textbox", { name: "add a rule" }).fill(WRITE);
  await playground.map.getByRole("button", { name: "Add", exact: true }).click();
  await expect(panel.getByRole("rowheader")).toHaveText(["team/app"]);
  await expect(panel).toContainText("+push");
  await panel.getByRole("button", { name: "Remove" }).click();
  await expect(panel).toContainText("Nothing to compare with yet.");
});

test("the heaviest difference is first, and the result is copied for a review and for CI", async ({ playground }) => {
  const before = ["repositories/b/content/read"];
  const after = ["repositories/a/content/read", "repositories/team/*/content/delete"];
  await compare(playground, before, after);
  await expect(playground.more.getByRole("rowheader").first()).toHaveText("team/*");
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
    [
      JSON.stringify([
        { name: "a", actions: [READ] },
        { name: "b", actions: [WRITE] },
      ]),
      "Both maps grant the same",
    ],
    [`${READ}\nteam lead says:\n${WRITE}`, "team lead says: grants nothing"],
    ["az acr scope-map create -n a -r r --repository team/app content/read content/write", "Both maps grant the same"],
  ] as const) {
    await before.fill(text);
    await expect(panel).toContainText(said);
  }
});

test("what is being typed is kept already", async ({ playground, page }) => {
  await playground.use(READ);
  const panel = await playground.openPanel("Compare");
  await panel.getByRole("textbox", { name: "The map before" }).pressSequentially(WRITE);
  await expect(panel.getByRole("textbox", { name: "The map before" })).toBeFocused();
  await expect.poll(() => page.evaluate(() => localStorage.getItem("scopegate.model") ?? "")).toContain(`"${WRITE}"]`);
});
