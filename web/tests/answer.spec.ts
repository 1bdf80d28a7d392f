/** The answer first: one sentence, in the title too, to send to others, and opened by a link. */

import { expect, test } from "./page.ts";
import { Playground } from "./playground.ts";
import { AZ_MAP, PUSH } from "./texts.ts";

const DENIED = "docker push samples/nginx will fail: the token can't pull or push to samples/nginx.";
const COMMAND =
  "az acr scope-map update --name MyScopeMap --registry myregistry --add-repository samples/nginx content/read content/write";
const BARE = "denied: requested access to the resource is denied\n";

test("the answer is the first sentence of its card, and in the title and the icon", async ({ playground, page }) => {
  const icon = page.locator("link[rel=icon]");
  const plain = await icon.getAttribute("href");
  await playground.write(PUSH + AZ_MAP);
  await expect(playground.headline).toHaveText(`Denied: ${DENIED}`);
  const size = await playground.headline
    .locator(".headline")
    .evaluate((one) => parseFloat(getComputedStyle(one).fontSize));
  expect(size).toBeGreaterThanOrEqual(22);
  expect(size).toBeLessThanOrEqual(28);
  await expect(page).toHaveTitle("Denied: docker push samples/nginx – Scopegate");
  expect(await icon.getAttribute("href")).toContain("circle");
  await playground.write("what is this?");
  await expect(page).toHaveTitle("Scopegate playground: what can this token do?");
  expect(await icon.getAttribute("href")).toBe(plain);
});

test("an answer is copied for a chat, and a message for the registry's owner", async ({ playground, page }) => {
  await playground.write(PUSH + AZ_MAP);
  const chat = await playground.copied(playground.answer.getByRole("button", { name: "Copy for chat" }));
  expect(chat).toContain("**Denied:** `docker push samples/nginx` will fail");
  expect(chat).toContain(COMMAND);
  expect(chat).toContain(page.url());
  const button = playground.answer.getByRole("button", { name: "Ask the registry owner" });
  await button.click();
  await expect(playground.announced).toContainText("copied: the message to the registry's owner");
  const message = await page.evaluate(() => navigator.clipboard.readText());
  expect(message).toContain(`Could you please run this?\n\n\`\`\`\n${COMMAND}\n\`\`\``);
  const link = /https?:\S+#1\.\S+/.exec(message)?.[0] ?? "";
  expect(link).toBe(page.url());
});

test("the owner opens the link, reads the answer first, and copies the command", async ({
  playground,
  page,
  browser,
}) => {
  await playground.write(PUSH + AZ_MAP);
  const link = await playground.copied(playground.answer.getByRole("button", { name: "Copy link" }));
  const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
  const owner = new Playground(await context.newPage());
  await owner.page.goto(link);
  await expect(owner.headline).toHaveText(`Denied: ${DENIED}`);
  const [answer, field] = await Promise.all([owner.answer.boundingBox(), owner.field.boundingBox()]);
  expect((answer?.y ?? 0) + (answer?.height ?? 0)).toBeLessThan(field?.y ?? 0);
  expect(await owner.copied(owner.answer.getByRole("button", { name: "copy the fix as az" }))).toBe(COMMAND);
  await context.close();
  expect(page.url()).toBe(link);
});

test("a picture of the answer is saved", async ({ playground, page }) => {
  await playground.write(PUSH + AZ_MAP);
  const saving = page.waitForEvent("download");
  await playground.answer.getByRole("button", { name: "Save picture" }).click();
  const saved = await saving;
  expect(saved.suggestedFilename()).toBe("answer.svg");
  const stream = await saved.createReadStream();
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(Buffer.from(piece));
  const svg = Buffer.concat(pieces).toString();
  expect(svg).toMatch(/^<svg /);
  // As an image, in the browser, from where nothing runs.
  const drawn = await page.evaluate(async (text) => {
    const image = new Image();
    image.src = `data:image/svg+xml,${encodeURIComponent(text)}`;
    await image.decode();
    return [image.naturalWidth, image.naturalHeight];
  }, svg);
  expect(drawn[0]).toBe(1200);
});

test("an error alone asks what was run, and explains it", async ({ playground }) => {
  await playground.write(BARE);
  await expect(playground.headline).toHaveText("This error doesn't say what was refused.");
  const explain = playground.answer.getByRole("button", { name: "Explain" });
  await explain.click();
  await expect(playground.answer.getByRole("alert")).toHaveText("Write the image that the command was about.");
  const image = playground.answer.getByRole("textbox", { name: "Image" });
  await image.fill("my registry/nginx");
  await explain.click();
  await expect(playground.answer.getByRole("alert")).toContainText("Use a-z, 0-9");
  await image.fill("myregistry.azurecr.io/samples/nginx:v1");
  await image.press("Enter");
  await playground.says("Can't tell yet", "docker push samples/nginx needs content/read and content/write");
  const message = await playground.copied(playground.answer.getByRole("button", { name: "Ask the registry owner" }));
  expect(message).toContain("--registry myregistry --add-repository samples/nginx content/read content/write");
  expect(message).toContain("Replace `$SCOPE_MAP` first.");
  await playground.write(BARE + AZ_MAP);
  await playground.says("Denied", COMMAND);
});

test("an error alone with an image of Docker Hub", async ({ playground }) => {
  await playground.write(BARE + AZ_MAP);
  await playground.pick(playground.answer.getByRole("combobox", { name: "Command" }), "docker pull");
  await playground.answer.getByRole("textbox", { name: "Image" }).fill("samples/hello-world");
  await playground.answer.getByRole("button", { name: "Explain" }).click();
  await expect(playground.headline).toHaveText(
    "Can't tell yet: The image has no registry name, so docker uses Docker Hub.",
  );
});

/** Texts without a question, and the sentence for each. */
const summaries: [string, RegExp][] = [
  [AZ_MAP, /^MyScopeMap can pull and push to samples\/hello-world\.$/],
  ["!!", /^There is no answer to this yet\.$/],
  ["team/app\nteam/web", /^2 repositories, and no scope map yet\.$/],
  [
    '{"name": "one", "actions": []}\n{"name": "two", "actions": []}',
    /^Which of these 2 scope maps does the token use\?$/,
  ],
  [
    "Error response from daemon: Get https://myserver.azurecr.io/v2/: unauthorized: authentication required",
    /^Login failed: /,
  ],
];

test("every input gets an answer", async ({ playground }) => {
  for (const [text, said] of summaries) {
    await test.step(text, async () => {
      await playground.page.reload();
      await playground.page.getByRole("button", { name: "Delete saved data" }).click();
      await playground.write(text);
      await expect(playground.headline).toHaveText(said);
      await expect(playground.answer).not.toHaveAttribute("data-verdict");
    });
  }
});

test("the example is opened, and what is typed takes its place", async ({ playground, page }) => {
  await playground.answer.getByRole("button", { name: "Open this example" }).click();
  await playground.says("Denied", COMMAND);
  await expect(playground.field).toHaveValue(/docker push/);
  await page.getByRole("button", { name: "Delete saved data" }).click();
  await expect(playground.answer).toContainText("An example");
  await expect(page).toHaveTitle("Scopegate playground: what can this token do?");
});

test("the fix is at most four stops from the field", async ({ playground, page }) => {
  await playground.write(PUSH + AZ_MAP);
  await playground.field.focus();
  const copy = playground.answer.getByRole("button", { name: "copy the fix as az" });
  let stops = 0;
  while (!(await copy.evaluate((one) => one === document.activeElement))) {
    await page.keyboard.press("Tab");
    stops += 1;
    expect(stops).toBeLessThanOrEqual(4);
  }
});

test("on a phone the deciding sentence is seen without scrolling", async ({ page, site }) => {
  await page.setViewportSize({ width: 360, height: 780 });
  await page.goto(site.url);
  const playground = new Playground(page);
  for (const text of [PUSH + AZ_MAP, LOGIN, BARE]) {
    await playground.write(text);
    await page.evaluate(() => scrollTo(0, 0));
    const box = await playground.headline.boundingBox();
    expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(780);
    const cut = await playground.answer.evaluate((card) =>
      [...card.querySelectorAll("*")].filter(
        (one) => one.getBoundingClientRect().right > card.getBoundingClientRect().right,
      ),
    );
    expect(cut).toEqual([]);
  }
});

const LOGIN =
  'Failed to pull image "myregistry.azurecr.io/shop/web:v3": failed to authorize: failed to fetch oauth token: unexpected status from POST request to https://myregistry.azurecr.io/oauth2/token: 401 Unauthorized';
