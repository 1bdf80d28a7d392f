/**
 * Links hold the whole page and no secret; old ones still open; what was typed is kept until it is
 * forgotten.
 */

import { createHash } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import { linkTo, unpacked } from "./links.ts";
import { expect, listen, test } from "./page.ts";
import { Playground } from "./playground.ts";
import { AZ_MAP, accessClaims, PUSH, SIGNATURE, token } from "./texts.ts";

const READ = "repositories/team/app/content/read";

/** Puts something into every part of the page. */
async function fillAll(playground: Playground): Promise<void> {
  await playground.write(PUSH + AZ_MAP);
  await playground.answer.getByRole("button", { name: "Save as test" }).click();
  await playground.repository.fill("team/app team/web");
  await playground.repository.press("Enter");
  await playground.page.getByRole("combobox", { name: "Registry type" }).selectOption("CNCF Distribution");
  const token = await playground.openPanel("Token");
  await token.getByRole("combobox", { name: "Token state" }).selectOption("Disabled");
  await token.getByRole("slider", { name: "Time" }).fill("61");
  await token.getByRole("textbox", { name: "Token name" }).fill("ci");
  const compare = await playground.openPanel("Compare");
  await compare.getByRole("textbox", { name: "The map before" }).fill(READ);
  await compare.getByRole("textbox", { name: "The map before" }).blur();
}

/** Everything that a person can see of the page, in words; the panels one after another. */
async function everything(playground: Playground): Promise<string[]> {
  const { field, map, answer, matrix } = playground;
  const seen = [await field.inputValue()];
  for (const part of [answer, map.first(), matrix]) seen.push(await part.ariaSnapshot());
  for (const panel of ["Client", "Token", "Compare", "Tests"] as const) {
    seen.push(await (await playground.openPanel(panel)).ariaSnapshot());
  }
  return seen;
}

test("a link holds everything, in another browser", async ({ playground, browser, complaints, page }) => {
  await page.clock.setFixedTime(new Date("2026-03-01T12:00:00Z"));
  await page.reload();
  await fillAll(playground);
  const link = await playground.share();
  const seen = await everything(playground);
  const elsewhere = await browser.newContext();
  const other = await elsewhere.newPage();
  listen(other, complaints);
  await other.clock.setFixedTime(new Date("2026-03-01T12:00:00Z"));
  await other.goto(link);
  await expect(other.getByRole("tab", { name: "Compare" })).toHaveAttribute("aria-selected", "true");
  expect(withoutUndo(await everything(new Playground(other)))).toEqual(withoutUndo(seen));
  await elsewhere.close();
});

/** What was done before is no part of the page. */
function withoutUndo(seen: string[]): string[] {
  return seen.map((text) => text.replace(/^.*button "Undo".*\n/m, ""));
}

test("the link is copied, and the dialog closes by Escape", async ({ playground, page }) => {
  await playground.use(READ);
  await page.getByRole("button", { name: "Share" }).click();
  const dialog = page.getByRole("dialog", { name: "Share" });
  const link = await dialog.getByRole("textbox", { name: "Link" }).inputValue();
  expect(link).toContain("#1.");
  await dialog.getByRole("button", { name: "Copy link" }).click();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(link);
  // What is outside of an open dialog is not heard.
  await expect(dialog.getByRole("status")).toContainText("copied: the link");
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await playground.ask("repository:team/app:push");
  await expect(playground.announced).toContainText("Denied");
});

test("a press beside the dialog closes it, and a text may be selected to beyond its edge", async ({
  playground: _,
  page,
}) => {
  const button = page.getByRole("button", { name: "Share" });
  await button.click();
  const dialog = page.getByRole("dialog", { name: "Share" });
  const link = dialog.getByRole("textbox", { name: "Link" });
  await expect(link).toBeFocused();
  const box = await link.boundingBox();
  await page.mouse.move((box?.x ?? 0) + 40, (box?.y ?? 0) + 10);
  await page.mouse.down();
  await page.mouse.move(5, 5);
  await page.mouse.up();
  await expect(dialog).toBeVisible();
  await dialog.getByText("This link contains everything on this page").click();
  await expect(dialog).toBeVisible();
  await page.mouse.click(5, 5);
  await expect(dialog).toBeHidden();
  await expect(button).toBeFocused();
});

test("the dialog says what is in the link, and that a long one may be cut off", async ({ playground, page }) => {
  await page.getByRole("button", { name: "Share" }).click();
  const dialog = page.getByRole("dialog", { name: "Share" });
  await expect(dialog).toHaveAccessibleDescription(
    /^This link contains everything on this page, in a part that browsers never send/,
  );
  await expect(dialog).not.toContainText("This link is long");
  await page.keyboard.press("Escape");
  const names = Array.from({ length: 1500 }, (_, index) => createHash("sha256").update(`${index}`).digest("hex"));
  await playground.write(`repositories/a/content/read\n# ${names.join(" ")}`);
  await page.getByRole("button", { name: "Share" }).click();
  await expect(dialog).toContainText(
    /This link is long \(\d+,\d{3} characters\)\. Some mail and chat apps cut it off\./,
  );
});

test.describe("by touch", () => {
  test.use({ viewport: { width: 360, height: 780 }, hasTouch: true, isMobile: true });

  test("the dialog fits, and its targets are large", async ({ playground: _, page }) => {
    await page.getByRole("button", { name: "Share" }).tap();
    const dialog = page.getByRole("dialog", { name: "Share" });
    for (const control of await dialog.locator("button, input").all()) {
      expect((await control.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    }
    expect((await dialog.boundingBox())?.width).toBeLessThanOrEqual(360);
    expect(await dialog.evaluate((element) => element.scrollWidth <= element.clientWidth)).toBe(true);
    await dialog.getByRole("button", { name: "Copy link" }).tap();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toContain("#1.");
  });
});

/**
 * Links of version 1 as they were given to people: each opens, whatever the page has become since.
 */
const old: [string, string, "Allowed" | "Denied" | "Partly allowed", string][] = [
  [
    "a paste that was answered",
    "1.lVNBUsMwDPyKR8MxULjmDz3BrenBOGrrqWsZ2aGUTv6O5FAIDAd6U6TVeldSzpBsLthDCzemJ7dHNmnIO3M4MW59Lny6s-8Do-M7T4tsDylgXsStj2_t60MXn3Y4NTBukLMpJFGi7Avxyaz-QbPuYo_RY99K58uAKsdY5zBXtiIPMGYa2KHx2UzYLp67aEwH0R6wg1ai5enRUcKlTR00U7HH7Nin4ilOmMf6sMkKNIcZ0joFZUWtNKO5Lx9epF4k7zAEuj0Sh37hKBaMZcFo-0-mq_qO7IuI1z4ZwthFaEBEZWhX52pMtvLtSoqXWUr-e7CSn_mU0m-TAvi0J8TXuapvXuMG1uO6AQpyUHEIoQFniw20FVlMVIQvMW18UGvW8S9-1ffjNkDI6klUZ2fY-6inKsbY1lwzi1uYDvhW71EqxfIWi7b9ObfZQc5lKOinBmVSA68PEk6HKF8wjg0cd5T1o26tARmLytMO2mNV_LXGp5qRgQQRCe29UBVbtIbRPgf5BYXP5ox8WZV4TzZiEIgLXkYM4wc",
    "Denied",
    "docker push samples/nginx will fail",
  ],
  [
    "rules and a scope",
    "1.fVK5bsMwDP0XjoUAd_Y_dOtWZGBkNlZDi6rIIDWC_Hspx0nvbuL1DlInKKhGA_QAASYsCv3TCTJO5Klj4iFiHdRrlXZJrc6enuZbEGAgjTUVS5IvIBjbu-H4TBFNJjWRdopTYeruuijZKFtXCYcF-GeTEU74qfVYk9G_vaXKC0Xb3kYGYvKZzXkTQNgN5gNzgIiGLDuXWkXMIX3wOXFzi7F-o2geLixeWOnERqof4Rf2-Ed-Cy7i9UB62dIJ9im3lWuU0qCN3qwpulLP_a8ofWkWykHHsLo7BziOok39crsAI_F6TJM9LWTrMR_mxyXjO2CJe-jvXayhtRpl3LL_AsdDVarXC7rsgpnYWyInXyuc3wE",
    "Allowed",
    "Can delete from sample/teama/projectb",
  ],
  [
    "a client at work",
    "1.bZGxcoMwDIbfRWPPgaQj79CtWy-DYlTii7FcWVyOcrx7ZZKmGbpZMnz-9GuBjEWphw7AwYi5QPexQMKRrOXPKFp2eYrRboWGUFRmuxjnR-Ggp-IlZA2cbhj09VxJ9k_mEpQlUGlvuPal9ZyUkrZC2MNxPTrgaArJ3nHgUTHyYChhVsNl4c8Qqw962Tz-mPWNO_ZKJzDS10TlprLAJaQ6GWcS3Hru6dzBmeK46ylT6in5eTflHpXsI0UZSCvh35kb_J6EvDSBn3XmR2KbS8XUKQ7Na7O3qvAkvk4B6-rgeuZSiy1yV1XuO1C-0CZ_38Hb_L51LJjI_gLd3lBaPTughKdoyzMelkLyG7vFkDFRrEIxWNKw_gA",
    "Denied",
    "Can't read the metadata of charts/web",
  ],
  [
    "the catalog",
    "1.XZBBTsQwDEXv4uUoUln3DuzYoVmY1EyjunFwPIJR1bvjpAUhdo6_8_z9NyhYjSYYAQKsWCqMrxtkXMlbnFxTF5RuXurDe-vj9xFgoho1FUuSDwLGVjeI_ylSk4kmqsNlWMlwQsNBCaeO_CMb4eozUbJRtmPkul8DCLu1fGcOEP0zy833qIg5oai8J24-Meo_YjPQoViKS2Izaa-d-XGnejjeYEm53V6jFPI5oy9rC84Lx3PneIE9wOcstW3rKQWYic_YTBbqtDO258dL77hnlrjA-BSgGlrTKOMbe97Ow1pJf-JyXwUzsY9ETh4C7N8",
    "Allowed",
    "Can list the repositories",
  ],
  [
    "two maps",
    "1.tZK7boUwDIbfxWOFRGfeoVu3isEE95yIEKex0SlCvHsdKBVCqjp1c3z5_dnOAglFqYcGoIIRk0DztkDEkczVTT70lMVCmW5eNM_mHeefRwU9ics-qee4a6ArdpGxmsTilbMnqZVwrJ9qx1Epap0J-03295RH9krQrm0FHIzw_7Awpb_Bzkk72iWrQ6HrhO1agUPFwDfjyMxqVSnzuw9lEnT5olIAj3YW2swHdWZu8j11HiPYSj4mkn28BQYfywXFcaKt6FNLt0N2bk61TZpCAMN63FkKw3b0Cu4Uvn-B8kDxtO6X-XXz2CSB3QDNcwWiqCVGEbtg38f0UITysWQDTBgpWIrjMWEmWL8A",
    "Denied",
    "Can't pull base/debian",
  ],
];

test("old links open", async ({ page, site }) => {
  for (const [name, link, verdict, sentence] of old) {
    await test.step(name, async () => {
      await page.goto(`${site.url}#${link}`);
      await new Playground(page).says(verdict, sentence);
    });
  }
});

const MODEL = { maps: [{ name: "m", registry: "", description: "", actions: [READ] }] };

/** Ends of addresses that are no links, and what is said. */
const refused: [string, string, string][] = [
  ["of a newer version", "#2.AAAA", "This link needs a newer version. Close all Scopegate tabs, then open it again."],
  ["cut", linkTo(MODEL).slice(0, -9), "This link is incomplete or damaged. Ask the sender to copy it again."],
  ["empty", "#1.", "This link is incomplete or damaged"],
  ["garbage", "#1.AAAA", "This link is incomplete or damaged"],
  ["no link", "#section", "This link isn't valid."],
  ["something else", linkTo({ maps: "none" }), "This link contains data this page can't read."],
  ["a list", linkTo([]), "This link contains data this page can't read."],
  ["no JSON", `#1.${deflateRawSync("{").toString("base64url")}`, "This link is incomplete or damaged"],
  ["a bomb", linkTo({ pasted: " ".repeat(64 << 20) }), "This link is incomplete or damaged"],
];

test("an invalid link is said to be invalid, and nothing is lost", async ({ playground, page, site }) => {
  await playground.use(READ);
  await playground.ask("repository:team/app:pull");
  for (const [name, fragment, said] of refused) {
    await test.step(name, async () => {
      await page.goto(site.url + fragment);
      await expect(page.getByRole("alert")).toContainText(said);
      await playground.says("Allowed");
      await page.getByRole("button", { name: "Dismiss" }).click();
      await expect(page.getByRole("alert")).toHaveCount(0);
    });
  }
  await page.goto(`${site.url}#1.AAAA`);
  await page.reload();
  await expect(page.getByRole("alert")).toContainText("This link is incomplete or damaged");
  await playground.says("Allowed");
});

test("another link in the address opens at once", async ({ page, site }) => {
  const playground = new Playground(page);
  const ask = (text: string) => linkTo({ ...MODEL, question: { kind: "scope", text } });
  await page.goto(site.url + ask("repository:team/app:pull"));
  await playground.says("Allowed");
  await page.goto(site.url + ask("repository:team/app:push"));
  await playground.says("Denied");
  await page.goBack();
  await playground.says("Allowed");
});

/** Words that are neither in a link nor in what a browser keeps. */
const secrets: [string, string, string][] = [
  ["the signature of a token", token(accessClaims(1_700_000_000, ["a", "pull"])), SIGNATURE],
  ["a password of a command", "docker login contoso.azurecr.io -u ci -p hunter2", "hunter2"],
  ["a password that is piped", "echo hunter2 | docker login contoso.azurecr.io -u ci --password-stdin", "hunter2"],
  ["a header", `curl -H 'Authorization: Bearer ${token({ sub: "x" })}' https://contoso.azurecr.io/v2/`, SIGNATURE],
  ["the answer of a token endpoint", `{"refresh_token":"${token({ sub: "x" })}"}`, SIGNATURE],
];

test("no secret is in a link or kept", async ({ playground, page }) => {
  for (const [name, text, secret] of secrets) {
    await test.step(name, async () => {
      await playground.write(text);
      const link = await playground.share();
      expect(unpacked(link)).not.toContain(secret);
      expect(JSON.parse(unpacked(link)).pasted).toContain("…");
      await expect.poll(() => page.evaluate(() => localStorage.getItem("scopegate.model") ?? "")).toContain("…");
      expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain(secret);
    });
  }
});

test("what was typed survives a reload, until it is forgotten", async ({ playground, page }) => {
  await playground.use(READ);
  await playground.ask("repository:team/app:push");
  await page.reload();
  await playground.says("Denied", "Can't push to team/app");
  expect(await playground.rules()).toEqual([READ]);
  await page.getByRole("button", { name: "Delete saved data" }).click();
  await expect(playground.announced).toContainText("Saved data deleted.");
  await expect(playground.question).toHaveValue("");
  await page.reload();
  await expect(playground.map).toContainText("No rules yet");
  await expect(playground.question).toHaveValue("");
  expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain("team/app");
});

test("what was here before a link or an example can be brought back", async ({ playground, page, site }) => {
  const back = page.getByRole("button", { name: "Restore" });
  await playground.use(READ);
  await playground.ask("repository:team/app:push");
  await playground.chooseExample("Push fails with only content/write");
  await playground.says("Denied", "docker push team/app will fail");
  await playground.chooseExample("List all repositories");
  await playground.says("Allowed", "Can list the repositories");
  await page.goto(site.url + linkTo({ ...MODEL, question: { kind: "scope", text: "repository:other:pull" } }));
  await playground.says("Denied", "Can't pull other");
  await page.reload();
  await back.click();
  await expect(back).toHaveCount(0);
  await expect(playground.question).toHaveValue("repository:team/app:push");
  expect(await playground.rules()).toEqual([READ]);
  expect(page.url()).toBe(site.url);
  await playground.chooseExample("List all repositories");
  await page.getByRole("button", { name: "Dismiss" }).click();
  await page.reload();
  await expect(back).toHaveCount(0);
  await playground.says("Allowed", "Can list the repositories");
});

test("an example that was touched takes the place of nothing, and is kept as well", async ({ playground, page }) => {
  const back = page.getByRole("button", { name: "Restore" });
  await playground.use(READ);
  await playground.chooseExample("Push fails with only content/write");
  await playground.ask("repository:touched:pull");
  await playground.chooseExample("List all repositories");
  await playground.ask("repository:again:pull");
  await page.reload();
  await back.click();
  await expect(playground.question).toHaveValue("repository:touched:pull");
  await back.click();
  expect(await playground.rules()).toEqual([READ]);
  await playground.ask("repository:own:pull");
  // Pressing on goes round: nothing is lost on the way.
  const seen = new Set<string>();
  for (let press = 0; press < 3; press += 1) {
    await back.click();
    await page.waitForTimeout(100);
    seen.add(await playground.question.inputValue());
  }
  expect([...seen].sort()).toEqual(["repository:again:pull", "repository:own:pull", "repository:touched:pull"]);
});

test("a link is read out of a sentence, and an invalid one goes with the first change", async ({
  playground,
  page,
  site,
}) => {
  const link = linkTo({ ...MODEL, question: { kind: "scope", text: "repository:team/app:pull" } });
  for (const end of [".", "%20", ")."]) {
    await page.goto(site.url + link + end);
    await playground.says("Allowed");
    await page.goto(site.url);
  }
  await page.goto(`${site.url}#1.AAAA`);
  await expect(page.getByRole("alert")).toContainText("This link is incomplete or damaged");
  await playground.ask("repository:team/app:push");
  await page.reload();
  await playground.says("Denied");
  await expect(page.getByRole("alert")).toHaveCount(0);
});

test("an untouched page is not missed", async ({ playground, page }) => {
  await playground.chooseExample("Push fails with only content/write");
  await playground.says("Denied");
  await expect(page.getByRole("button", { name: "Restore" })).toHaveCount(0);
});

test("what is too large to be read at once is kept, and forgotten", async ({ playground, page }) => {
  test.slow();
  const rules = Array.from({ length: 100_000 }, (_, index) => `repositories/r${index}/content/read`);
  await playground.write(JSON.stringify(rules));
  await expect(playground.map).toContainText("Show 200 more of 100,000 rules");
  await expect.poll(() => page.evaluate(() => localStorage.getItem("scopegate.model"))).toBe("large");
  await page.reload();
  await expect(playground.map).toContainText("Show 200 more of 100,000 rules");
  // By the keyboard: the page still grows while it reads a map of this size, and a click may end
  // beside what it began on.
  await page.getByRole("button", { name: "Delete saved data" }).press("Enter");
  await expect(playground.map).toContainText("No rules yet");
  await expect
    .poll(() =>
      page.evaluate(async () => {
        const opening = indexedDB.open("scopegate");
        await new Promise((resolve) => opening.addEventListener("success", resolve));
        const count = opening.result.transaction("texts").objectStore("texts").count();
        await new Promise((resolve) => count.addEventListener("success", resolve));
        return count.result;
      }),
    )
    .toBe(0);
  await page.reload();
  await expect(playground.map).toContainText("No rules yet");
});

test("what a client said is in a link, and survives a reload", async ({ playground, page, browser }) => {
  const works = ["read", "write"].map((permission) => `repositories/samples/nginx/content/${permission}`);
  await playground.write(PUSH + JSON.stringify({ name: "MyScopeMap", actions: works }));
  const open = ["Can't tell yet", "This should be allowed, but the registry refused it"] as const;
  await playground.says(...open);
  const link = await playground.share();
  await page.reload();
  await playground.says(...open);
  const elsewhere = await browser.newContext();
  const other = await elsewhere.newPage();
  await other.goto(link);
  await new Playground(other).says(...open);
  await elsewhere.close();
});

test("a link does not prevent what is typed later", async ({ page, site }) => {
  const playground = new Playground(page);
  await page.goto(site.url + linkTo({ ...MODEL, question: { kind: "scope", text: "repository:team/app:pull" } }));
  await playground.says("Allowed");
  await playground.ask("repository:team/app:push");
  await page.reload();
  await playground.says("Denied");
  expect(page.url()).toBe(site.url);
});

test("the page works where nothing may be kept", async ({ page, site }) => {
  await page.addInitScript(() => {
    Object.defineProperty(window, "localStorage", {
      get: () => {
        throw new DOMException("denied", "SecurityError");
      },
    });
  });
  await page.addInitScript(() => {
    Object.defineProperty(window, "indexedDB", { value: undefined });
  });
  await page.goto(site.url);
  const playground = new Playground(page);
  await playground.use(READ);
  await playground.ask("repository:team/app:pull");
  await playground.says("Allowed");
  await expect(page.getByRole("contentinfo")).toContainText("Your browser isn't saving this page");
  await page.getByRole("button", { name: /^Theme: / }).click();
  await page.getByRole("button", { name: "Delete saved data" }).click();
  await expect(playground.question).toHaveValue("");
});

test("what is kept and is nothing of the page's is not shown", async ({ page, site }) => {
  for (const kept of ["{", "[]", '{"maps": 1}', "null"]) {
    await page.goto(site.url);
    await page.addInitScript((text) => localStorage.setItem("scopegate.model", text), kept);
    await page.reload();
    await expect(page.getByRole("region", { name: /^Scope map/ })).toContainText("No rules yet");
  }
});

test("the colours are chosen, and stay chosen", async ({ playground, page }) => {
  const button = page.getByRole("button", { name: /^Theme: / });
  const seen: string[] = [];
  for (const _ of ["light", "dark", "system"]) {
    await button.click();
    await page.reload();
    seen.push((await button.getAttribute("aria-label")) ?? "");
    await expect(playground.field).toBeVisible();
  }
  expect(seen).toEqual(["Theme: light", "Theme: dark", "Theme: system"]);
});
