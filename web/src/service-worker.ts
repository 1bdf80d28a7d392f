/**
 * Keeps the page for when there is no network.
 *
 * It keeps the files of one build, all of them or none, and answers for exactly those; every other
 * request goes its own way. The cache has the build's digest in its name. A new build is fetched
 * while the old one is open, and is taken when the page is next started, so that no page has files
 * of two builds.
 */

export {};

declare const self: ServiceWorkerGlobalScope;
/** The page's files, relative to the page, and the digest of them all. The build knows. */
declare const __FILES__: readonly string[];
declare const __DIGEST__: string;

/** Pages at several addresses of one origin share its caches, so the name tells whose one is. */
const PREFIX = `scopegate ${self.registration.scope} `;
const NAME = PREFIX + __DIGEST__;
const ADDRESSES = new Set(__FILES__.map((file) => new URL(file, self.registration.scope).href));

self.addEventListener("install", (event) => event.waitUntil(keep()));
self.addEventListener("activate", (event) => event.waitUntil(forgetOthers()));
self.addEventListener("fetch", (event) => {
  const address = addressOf(event.request);
  if (event.request.method === "GET" && ADDRESSES.has(address)) {
    event.respondWith(answer(event.request, address));
  }
});

async function keep(): Promise<void> {
  const cache = await caches.open(NAME);
  // What the browser has is asked about, so that a page and its files are of one build.
  await cache.addAll([...ADDRESSES].map((address) => new Request(address, { cache: "no-cache" })));
}

async function forgetOthers(): Promise<void> {
  const names = await caches.keys();
  const others = names.filter((name) => name.startsWith(PREFIX) && name !== NAME);
  await Promise.all(others.map((name) => caches.delete(name)));
}

async function answer(request: Request, address: string): Promise<Response> {
  const cache = await caches.open(NAME);
  return (await cache.match(address)) ?? fetch(request);
}

/** The address without what is the page's own business. */
function addressOf(request: Request): string {
  const { origin, pathname } = new URL(request.url);
  return origin + pathname;
}
