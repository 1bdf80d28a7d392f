/**
 * Nothing leaves the page, and the page needs nothing: not after it is there, and not to start
 * again.
 */

import { readFile } from "node:fs/promises";

import type { Page } from "@playwright/test";

import { expect, test } from "./page.ts";
import { Playground } from "./playground.ts";
import { AZ_MAP, accessClaims, PUSH, token } from "./texts.ts";

/** Uses everything that there is on the page. */
async function useAll(playground: Playground): Promise<void> {
  const { page } = playground;
  await playground.write(PUSH + AZ_MAP);
  await playground.copied(playground.answer.getByRole("button", { name: "copy the fix as az" }));
  await playground.answer.getByRole("button", { name: "Save as test" }).click();
  await playground.answer.getByRole("button", { name: "Apply to this map" }).click();
  await playground.cell("samples/nginx", "delete").click();
  await playground.write("name: ci\nactions:\n- repositories/a/content/read\n");
  await playground.write(token(accessClaims(1, ["a", "pull"])));
  for (const panel of ["Client", "Token", "Compare", "Tests"] as const) await playground.openPanel(panel);
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download access.yaml" }).click();
  await saved;
  await playground.map.getByRole("button", { name: "Edit as text" }).click();
  await expect(playground.map.getByRole("textbox", { name: "Scope map rules" })).toContainText("repositories/");
  await playground.share();
  await playground.chooseExample("Review a change");
  await page.getByRole("button", { name: /^Theme: / }).click();
  await page.getByRole("button", { name: "Delete saved data" }).click();
}

/** Waits until the service worker has every file. */
async function untilKept(page: Page): Promise<void> {
  await page.evaluate(() => navigator.serviceWorker.ready);
}

/**
 * Without the browser's own looks for a newer service worker, some time after a page has started.
 */
function askedByPage(requests: string[]): string[] {
  return requests.filter((path) => path !== "/sw.js");
}

test("nothing is asked for once the page is there, whatever is done", async ({ page, ownSite }) => {
  await page.goto(ownSite.url);
  await untilKept(page);
  // The first page was there before the service worker, and its editor would come from the server.
  await page.reload();
  const asked = askedByPage(ownSite.requests);
  const begun: string[] = [];
  page.on("request", (request) => begun.push(request.url()));
  await useAll(new Playground(page));
  expect(askedByPage(ownSite.requests)).toEqual(asked);
  // What the page itself loads late is its editor, from where it keeps it.
  expect(begun.filter((url) => !url.startsWith(`${ownSite.url}assets/`) && !url.startsWith("blob:"))).toEqual([]);
});

test("nothing is asked of anybody else, not even at first", async ({ context, page, ownSite }) => {
  const foreign: string[] = [];
  context.on("request", (request) => {
    if (!request.url().startsWith(ownSite.url) && !request.url().startsWith("blob:")) foreign.push(request.url());
  });
  await page.goto(ownSite.url);
  await useAll(new Playground(page));
  expect(foreign).toEqual([]);
});

/** Ways out of a page, of which none is open. */
const ways: [string, string, string][] = [
  ["fetch", "connect-src", "fetch('./')"],
  ["a beacon", "connect-src", "navigator.sendBeacon('./', 'x')"],
  ["a socket", "connect-src", "new WebSocket('ws://127.0.0.1:9/')"],
  ["events", "connect-src", "new EventSource('./')"],
  ["an image", "img-src", "new Image().src = 'http://127.0.0.1:9/x.png'"],
  ["a frame", "default-src", "document.body.append(Object.assign(document.createElement('iframe'), { src: './' }))"],
  [
    "a script in the page",
    "script-src",
    "document.body.append(Object.assign(document.createElement('script'), { text: 'window.ran = 1' }))",
  ],
  [
    "a form",
    "form-action",
    "document.body.append(Object.assign(document.createElement('form'), { action: 'http://127.0.0.1:9/' })); document.forms[document.forms.length - 1].submit()",
  ],
];

test("the page's policy closes every way out", async ({ page, site, complaints }) => {
  await page.goto(site.url);
  for (const [name, directive, code] of ways) {
    await test.step(name, async () => {
      const broken = await page.evaluate(
        ([run]) =>
          new Promise<string>((resolve) => {
            document.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective), {
              once: true,
            });
            Promise.resolve(
              new Function(`return (${run?.includes(";") ? `() => { ${run} }` : `() => ${run}`})()`)(),
            ).catch(() => {});
          }),
        [code],
      );
      expect([directive, `${directive}-elem`, "frame-src"]).toContain(broken);
    });
  }
  expect(await page.evaluate(() => "ran" in window)).toBe(false);
  complaints.splice(0);
});

test("after one visit everything works without a network", async ({ page, ownSite }) => {
  await page.goto(ownSite.url);
  await untilKept(page);
  await ownSite.close();
  await page.reload();
  await useAll(new Playground(page));
  await expect(page.getByRole("main")).toContainText("The answer appears as you type.");
});

test("the page can be installed", async ({ page, site, request }) => {
  await page.goto(site.url);
  const href = await page.locator("link[rel=manifest]").getAttribute("href");
  const address = new URL(href ?? "", site.url);
  const manifest = await (await request.get(address.href)).json();
  expect(manifest).toMatchObject({
    name: "Scopegate playground",
    short_name: "Scopegate",
    start_url: "./",
    scope: "./",
    display: "standalone",
  });
  expect(manifest.icons.map((icon: { sizes: string }) => icon.sizes)).toEqual(
    expect.arrayContaining(["192x192", "512x512"]),
  );
  for (const { src, type, sizes } of manifest.icons) {
    const answer = await request.get(new URL(src, address).href);
    expect(answer.headers()["content-type"]).toBe(type);
    if (type === "image/png") expect(sizeOfPng(await answer.body())).toBe(sizes);
  }
});

/** As its first chunk says. */
function sizeOfPng(image: Buffer): string {
  return `${image.readUInt32BE(16)}x${image.readUInt32BE(20)}`;
}

test("every file that the page names is there", async ({ page, ownSite }) => {
  await page.goto(ownSite.url);
  await untilKept(page);
  const index = await readFile(new URL("../../target/web/index.html", import.meta.url), "utf8");
  expect(index).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
  expect(ownSite.requests).toContain("/sw.js");
});
