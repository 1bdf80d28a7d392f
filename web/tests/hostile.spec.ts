/** Whatever is put into the page, it says something clear, stays alive, and runs nothing of it. */

import { linkTo } from "./links.ts";
import { expect, test } from "./page.ts";
import { Playground, paste } from "./playground.ts";
import { accessClaims, token } from "./texts.ts";

const READ = "repositories/team/app/content/read";

/** Asks something else, and waits for its answer. */
async function isAlive(playground: Playground): Promise<void> {
  const maps = playground.answer.getByRole("radio", { name: "Scope map" });
  if ((await maps.count()) > 0) await maps.check({ force: true });
  const clear = playground.page.getByRole("button", { name: "Clear" });
  if (await clear.isVisible()) await clear.click();
  await playground.write(JSON.stringify([READ]));
  await playground.ask("repository:team/app:pull");
  await playground.says("Allowed");
  await playground.ask("repository:team/app:push");
  await playground.says("Denied");
}

const deep = 100_000;

/** Texts that are not what they seem, and what is said of each. */
const broken: [string, string, RegExp][] = [
  [
    "JSON that is cut",
    '{"name": "x", "actions": ["repositories/a/content/re',
    /^Not recognised at character 1\. Missing closing bracket\. The text looks cut off: paste all of it\.$/,
  ],
  ["JSON with two of a field", `{"actions": ["${READ}"], "actions": []}`, /[Dd]uplicate field actions/],
  ["JSON of another kind", '{"actions": "all"}', /Not recognised|actions/],
  ["JSON with numbers", '{"actions": [1, null, {}]}', /Not recognised at character \d+/],
  ["deep JSON", `${'{"actions":['.repeat(2000)}${"]}".repeat(2000)}`, /[Nn]ested more than \d+ levels deep/],
  ["deep brackets", "[".repeat(deep), /Not recognised at character/],
  [
    "deep YAML",
    `actions:\n${Array.from({ length: 500 }, (_, depth) => `${" ".repeat(depth)}- `).join("\n")}`,
    /Not recognised/,
  ],
  ["YAML with a tab", `actions:\n\t- ${READ}`, /Not recognised|Scope map/],
  [
    "YAML that laughs",
    `a: &a [x,x,x,x,x,x,x,x,x]\n${["b", "c", "d", "e", "f", "g", "h"].map((name, index) => `${name}: &${name} [${`*${"abcdefgh"[index]},`.repeat(9)}]`).join("\n")}\nactions: *h\n`,
    /Not recognised/,
  ],
  ["YAML with another type", "actions: !!js/function 'function () { window.ran = 1 }'", /Not recognised|unresolved/],
  ["a token without claims", "eyJhbGciOiJFUzI1NiJ9", /Signed token/],
  ["a token that is cut", token(accessClaims(1, ["a", "pull"])).slice(0, 90), /Signed token/],
  ["a token of garbage", "eyJhbGciOiJFUzI1NiJ9.!!!.###", /Signed token|Not recognised/],
  ["a challenge that is cut", 'WWW-Authenticate: Bearer realm="https://x', /Not recognised|WWW-Authenticate/],
  ["a NUL", "\u0000!!", /Not recognised/],
  ["half a character", "\ud800 repository:a\udfff:pull", /Not recognised|scope/],
];

test("texts that are broken", async ({ playground }) => {
  for (const [name, text, said] of broken) {
    await test.step(name, async () => {
      await playground.write(text);
      await expect(playground.found.first()).toBeVisible();
      expect((await playground.found.allTextContents()).join("\n")).toMatch(said);
      await isAlive(playground);
    });
  }
});

test("ten megabytes", async ({ playground }) => {
  test.slow();
  await playground.write("x".repeat(10 << 20));
  await expect(playground.found).toHaveText([
    /Not recognised at character 4194305\. Too large \(over 4 MiB\)\. Paste only the relevant part\./,
  ]);
  await isAlive(playground);
});

test("a hundred thousand rules", async ({ playground }) => {
  test.slow();
  await paste(
    playground.field,
    Array.from({ length: 100_000 }, (_, index) => `repositories/r${index}/content/read`).join("\n"),
  );
  await expect(playground.found).toHaveText(["Scope map 100,000 rules"]);
  await expect(playground.map).toContainText("Show 200 more of 100,000 rules");
  await playground.ask("repository:r99999:pull,push");
  await playground.says("Partly allowed", "Can't push to r99999");
  await isAlive(playground);
});

test("two thousand scope maps", async ({ playground }) => {
  test.slow();
  const map = (index: number) =>
    JSON.stringify({ name: `map-${index}`, actions: [`repositories/r${index}/content/read`] });
  await paste(
    playground.field,
    `${Array.from({ length: 2000 }, (_, index) => map(index)).join("\n")}\ndocker pull r.azurecr.io/r7:v1`,
  );
  await playground.says("Can't tell yet");
  await expect(playground.map).toHaveCount(50);
  await expect(playground.page.getByText("… and 1,950 more")).toBeVisible();
  const choice = playground.answer.getByRole("combobox", { name: "The token uses the scope map" });
  await choice.selectOption("map-7");
  await playground.says("Allowed");
  await choice.selectOption("not known");
  await isAlive(playground);
});

test("a hundred thousand repositories", async ({ playground }) => {
  test.slow();
  await paste(playground.field, Array.from({ length: 100_000 }, (_, index) => `team/r${index}`).join("\n"));
  await expect(playground.cell("team/r0", "pull")).toBeVisible();
  await isAlive(playground);
});

test("a hundred and twenty-nine scopes", async ({ playground }) => {
  await playground.ask(Array.from({ length: 129 }, (_, index) => `repository:r${index}:pull`).join(" "));
  await expect(playground.answer).toContainText("Too many scopes (maximum 128)");
  await isAlive(playground);
});

/** Invalid scopes, and the message for each. */
const scopes: [string, string][] = [
  ["oops", "oops is not a scope yet.Missing colon"],
  ["repo:a:pull", "repo:a:pull is not a scope yet.Unknown resource type"],
  ["repository:A:pull", "repository:A:pull is not a scope yet.Uppercase letter in the repository name"],
  ["repository::pull", "repository name is empty"],
];

test("scopes that are none", async ({ playground }) => {
  await playground.use("repositories/*/content/read");
  for (const [scope, said] of scopes) {
    for (const asked of [`repository:a:pull ${scope}`, scope]) {
      await playground.ask(asked);
      await expect(playground.answer).toContainText(said);
      await expect(playground.answer).not.toHaveAttribute("data-verdict");
    }
  }
});

const BRACE = "{";

/** Names that would run, change what is around them, or disappear, if a page let them. */
const NAMES = [
  '<img src=x onerror="window.ran=1">',
  "<script>window.ran=1</script>",
  "javascript:window.ran=1",
  `$${BRACE}window.ran=1}`,
  "{{window.ran=1}}",
  "'\"><svg onload=window.ran=1>",
  "\u202egnp.exe\u202c",
  "a\u0000b",
  "__proto__",
  "constructor",
  "ä😀\u200d",
];

test.describe("names that would do something", () => {
  test.afterEach(async ({ page }) => {
    expect(await page.evaluate(() => "ran" in window)).toBe(false);
    await expect(page.locator("img, script:not([src])")).toHaveCount(0);
  });

  test("as repositories, maps, rules and scopes", async ({ playground, page }) => {
    test.slow();
    for (const name of NAMES) {
      await test.step(JSON.stringify(name), async () => {
        await playground.write(
          JSON.stringify({
            name: name.replace(/^_+/, ""),
            description: name,
            actions: [`repositories/${name}/content/read`, name],
          }),
        );
        await playground.map.getByRole("textbox", { name: "Registry" }).fill(name);
        await playground.map.getByRole("textbox", { name: "Add rules" }).fill(name);
        await playground.map.getByRole("button", { name: "Add", exact: true }).click();
        await playground.repository.fill(name);
        await playground.repository.press("Enter");
        await playground.ask(`repository:${name}:pull`);
        const said = /^(Allowed|Denied|Partly allowed|Can't tell yet)$|not a scope yet/;
        await expect(playground.answer.getByText(said).first()).toBeVisible();
        await playground.ask("repository:a:push");
        for (const form of ["ARM", "Terraform", "az"]) await playground.answer.getByRole("tab", { name: form }).click();
        const chat = await playground.copied(playground.answer.getByRole("button", { name: "Copy for chat" }));
        expect(chat).not.toMatch(/[\p{Cf}\0]/u);
        const saved = page.waitForEvent("download");
        await playground.answer.getByRole("button", { name: "Save picture" }).click();
        await saved;
        await playground.answer.getByRole("button", { name: "Apply to this map" }).click();
        await playground.says("Allowed");
      });
    }
    await page.reload();
    await expect(playground.question).toHaveValue("repository:a:push");
    await isAlive(playground);
  });

  test("in the field, in tokens, and in what clients do", async ({ playground }) => {
    for (const name of NAMES) {
      await test.step(JSON.stringify(name), async () => {
        await playground.write(name);
        await playground.write(`docker push contoso.azurecr.io/${name}:v1\ndenied: ${name}`);
        await playground.write(token({ ...accessClaims(1, [name, "pull", name]), sub: name }));
        await expect(playground.more).toContainText("Access token");
        await playground.write(`az acr repository show-tags -n '${name}' --repository '${name}'`);
        const panel = await playground.openPanel("Client");
        await playground.run("docker push");
        await panel.getByRole("textbox", { name: "Repository" }).fill(name);
        await panel.getByRole("textbox", { name: "Tag" }).fill(name);
        await expect(panel.getByRole("textbox", { name: "Tag" })).toHaveValue(name.trim());
      });
    }
    await isAlive(playground);
  });

  test("in links", async ({ page, site }) => {
    const playground = new Playground(page);
    for (const name of NAMES) {
      const map = { name, registry: name, description: name, actions: [name, `repositories/${name}/content/read`] };
      const target = { registry: name, repository: name, tag: name, source: name };
      for (const [panel, question] of [
        ["client", { kind: "operation", operation: "crane-copy", target }],
        ["client", { kind: "operation", operation: name, target }],
        ["token", { kind: "scope", text: `repository:${name}:pull` }],
        ["compare", { kind: "scope", text: name }],
        ["tests", { kind: "scope", text: "" }],
      ]) {
        const model = {
          pasted: name,
          maps: [map, map],
          old: map,
          repositories: [name, name],
          question,
          held: name,
          token: { name, clock: 1e300, state: "enabled" },
          assertions: [{ allow: name, why: name }, { deny: name }, {}],
          panel,
        };
        await page.goto(site.url + linkTo(model));
        await expect(playground.map).toHaveCount(2);
        await expect(page.getByRole("alert")).toHaveCount(0);
      }
    }
    await page.goto(site.url);
    await page.getByRole("button", { name: "Delete saved data" }).click();
    await isAlive(playground);
  });
});
