/**
 * What the page says of pasted texts without a question, of incomplete questions, of a login, and
 * of an answer that is old.
 */

import { expect, test } from "./page.ts";
import type { Playground } from "./playground.ts";
import { AZ_MAP, accessClaims, PUSH, token } from "./texts.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const ACCESS = token(accessClaims(NOW.getTime() / 1000, ["shop/web", "pull", "push"], ["base/debian", "pull"]));
const PUSHED = "docker push myregistry.azurecr.io/samples/nginx:v1\n";
const LOGIN =
  'Failed to pull image "myregistry.azurecr.io/shop/web:v3": failed to authorize: failed to fetch oauth token: unexpected status from POST request to https://myregistry.azurecr.io/oauth2/token: 401 Unauthorized';

test.beforeEach(async ({ page }) => {
  await page.clock.setFixedTime(NOW);
});

/** No cell is red or green that nothing says so of. */
async function marks(playground: Playground, repository: string): Promise<string[]> {
  const cells = playground.matrix.getByRole("button", { name: new RegExp(`^${repository} [\\w ]+: `) });
  return cells.evaluateAll((all) => all.map((cell) => cell.getAttribute("aria-label")?.split(": ")[1] ?? ""));
}

test("an access token is summed up, and its repositories are the rows", async ({ playground }) => {
  for (const before of ["", AZ_MAP]) {
    await playground.write(before + ACCESS);
    await expect(playground.headline).toHaveText("This token can pull and push to shop/web and pull base/debian.");
    await expect(playground.answer.locator(".sentence")).toHaveText(["Expires 2026-03-01 13:00:00 UTC."]);
    expect(await playground.repositories()).toEqual(["shop/web", "base/debian"]);
    expect(await marks(playground, "shop/web")).toEqual(["allowed", "allowed", "denied", "denied", "denied"]);
    await expect(playground.answer.getByText("Denied")).toHaveCount(0);
    // What was said is not said again.
    if (before === "") await expect(playground.announced).toContainText("This token can pull and push to shop/web");
  }
});

test("a token that is over only lists rights", async ({ playground }) => {
  await playground.write(token(accessClaims(NOW.getTime() / 1000 - 7200, ["shop/web", "pull"])));
  await expect(playground.answer).toContainText("Registries reject the token: expired 1 hour ago.");
  await expect(playground.answer).toContainText("It lists the rights to pull shop/web.");
  await expect(playground.answer).not.toContainText("can pull");
});

const MAP = (name: string, ...permissions: string[]) =>
  `${JSON.stringify({ name, actions: permissions.map((permission) => `repositories/samples/nginx/${permission}`) })}\n`;
const OLD = MAP("web-old", "content/read", "content/write");
const NEW = MAP("web-new", "content/read");

test("two maps stay two, and the page asks which one the token uses", async ({ playground }) => {
  await playground.write(OLD);
  await playground.write(OLD + NEW + PUSHED);
  await playground.says("Can't tell yet", "web-old allows this, but web-new doesn't.");
  await expect(playground.answer).not.toContainText("will work");
  expect(await marks(playground, "samples/nginx")).toEqual(["allowed", "not certain", "denied", "denied", "denied"]);
  const choice = playground.answer.getByRole("combobox", { name: "The token uses the scope map" });
  await choice.selectOption("web-new");
  await playground.says("Denied", "Can't push to samples/nginx");
  expect(await marks(playground, "samples/nginx")).toEqual(["allowed", "denied", "denied", "denied", "denied"]);
  await choice.selectOption("web-old");
  await playground.says("Allowed");
  await choice.selectOption("not known");
  await playground.says("Can't tell yet");
});

test("two maps that agree need no choice", async ({ playground }) => {
  await playground.write(`${OLD}${NEW}docker pull myregistry.azurecr.io/samples/nginx:v1\n`);
  await playground.says("Allowed");
});

test("two maps are compared with each other, under their names", async ({ playground }) => {
  await playground.write(OLD + NEW);
  const panel = await playground.openPanel("Compare");
  await expect(panel.getByRole("heading", { name: "web-old → web-new" })).toBeVisible();
  await expect(panel.getByRole("cell", { name: "−push" })).toBeVisible();
  await panel.getByRole("combobox", { name: "Before" }).selectOption("web-new");
  await panel.getByRole("combobox", { name: "After" }).selectOption("web-old");
  await expect(panel.getByRole("heading", { name: "web-new → web-old" })).toBeVisible();
  await expect(panel.getByRole("cell", { name: "+push" })).toBeVisible();
});

/** Incomplete questions, and the message for each. */
const unfinished: [string, string][] = [
  ["r", "r is not a scope yet.Missing colon: use type:name:actions."],
  ["repository", "not a scope yet"],
  ["repository:samples/hello-world", "not a scope yet"],
  ["repository:samples/hello-world:", "has no action yet"],
  ["repository:samples/hello-world:pulls", "Unknown action pulls.Did you mean pull?"],
  ["repository:samples/hello-world:content/write", "Unknown action content/write.Did you mean push?"],
  ["repository:samples/hello-world:fly", "Unknown action fly.Use pull, push"],
];

test("what is no question yet has no verdict, and is no test", async ({ playground }) => {
  await playground.write(AZ_MAP);
  for (const [scope, said] of unfinished) {
    await playground.ask(scope);
    await expect(playground.answer).toContainText(said);
    await expect(playground.answer).not.toHaveAttribute("data-verdict");
    await expect(playground.answer.getByRole("button", { name: "Save as test" })).toHaveCount(0);
    await expect(playground.announced).not.toContainText(/denied/i);
  }
  await playground.ask("repository:samples/hello-world:pull");
  await playground.says("Allowed");
});

test("a login that was refused comes first, and alone", async ({ playground }) => {
  for (const before of ["", MAP("ci", "content/read")]) {
    await playground.write(before + LOGIN);
    await expect(playground.answer.getByText("Login failed", { exact: true })).toBeVisible();
    await expect(playground.headline).toHaveText(
      "Login failed: The registry refused the login, so scope maps aren't the cause.",
    );
    await expect(playground.answer.locator(".sentence")).toHaveText([/^Check the token's name, its password/]);
    await expect(playground.answer).toContainText("az acr token show --name $TOKEN --registry myregistry -o json");
    await expect(playground.answer).not.toContainText("no rule");
    await expect(playground.answer.getByRole("heading", { name: "How to fix it" })).toHaveCount(0);
    if (before === "") await expect(playground.announced).toContainText("Login failed: The registry refused the login");
  }
});

test("without a map the page says what is needed, and that no rule denies it", async ({ playground }) => {
  await playground.write(PUSHED);
  await playground.says(
    "Can't tell yet",
    "docker push samples/nginx needs content/read and content/write on samples/nginx",
  );
  await expect(playground.answer).toContainText(
    "To see what this token has now, paste the output of az acr scope-map show",
  );
  await expect(playground.answer).not.toContainText(/can't|no rule|fails/);
  await expect(playground.answer.getByRole("heading", { name: "How to fix it" })).toBeVisible();
  expect(await marks(playground, "samples/nginx")).toEqual(Array(5).fill("not certain"));
});

test("an answer is said to be of the question before, once that has gone", async ({ playground, page }) => {
  for (const gone of ["what is this?", ""]) {
    await playground.write(PUSH + AZ_MAP);
    await playground.says("Denied");
    await expect(playground.answer).not.toContainText("previous question");
    if (gone === "") await page.getByRole("button", { name: "Clear" }).click();
    else await playground.write(gone);
    await playground.says("Denied", "This answer belongs to the previous question.");
    await expect(playground.answer).toHaveAttribute("data-stale");
    await expect(playground.announced).toContainText("This answer belongs to the previous question.");
    await playground.ask("repository:samples/hello-world:pull");
    await playground.says("Allowed");
    await expect(playground.answer).not.toContainText("previous question");
  }
});

test("a refusal that is gone from the field makes no old answer an allowed one", async ({ playground }) => {
  await playground.write(
    `${MAP("ci", "content/read", "content/write")}${PUSHED}denied: requested access to the resource is denied\n`,
  );
  await playground.says("Can't tell yet", "but the registry refused it");
  await playground.page.getByRole("button", { name: "Clear" }).click();
  await playground.says("Can't tell yet", "This answer belongs to the previous question.");
});
