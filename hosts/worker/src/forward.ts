// A request on its way to the registry, and the answer on its way back. Bodies are streamed, and never read.

import type { Settings } from "./settings.ts";

/** What belongs to one connection, says who is calling, or was meant for us. */
const WITHHELD = new Set([
  "authorization",
  "connection",
  "cookie",
  "forwarded",
  "host",
  "keep-alive",
  "proxy",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "true-client-ip",
  "upgrade",
  "x-client-ip",
  "x-http-method-override",
  "x-real-ip",
]);
const WITHHELD_PREFIXES = ["cdn-", "cf-", "x-forwarded-", "x-original-", "x-rewrite-"];

/** Sends a request on, with the engine's target in the place of its own. */
export async function forward(request: Request, target: string, settings: Settings): Promise<Response> {
  const { method, body, signal } = request;
  const headers = headersFor(request.headers);
  const init: RequestInit = { method, headers, body, signal, redirect: "manual" };
  const response = await settings.registry.fetch(exactly(settings.origin, target), init);
  return answer(response, settings.origin);
}

/**
 * The address of a target. `fetch` normalises whatever it is given, so a path that would not arrive as the engine spelt it is not sent.
 * In a query it escapes a few more characters, which says the same.
 */
export function exactly(origin: string, target: string): string {
  const address = origin + target;
  const url = new URL(address);
  const [path] = target.split("?");
  if (url.origin !== origin || url.pathname !== path || url.hash !== "")
    throw new Error("the target has another spelling");
  return address;
}

export function headersFor(received: Headers): Headers {
  const headers = new Headers(received);
  const named = (received.get("connection") ?? "").split(",").map((name) => name.trim().toLowerCase());
  for (const name of [...received.keys()]) {
    if (named.includes(name) || isWithheld(name)) headers.delete(name);
  }
  return headers;
}

function isWithheld(name: string): boolean {
  // Some servers read an underscore as a hyphen.
  const plain = name.toLowerCase().replaceAll("_", "-");
  return WITHHELD.has(plain) || WITHHELD_PREFIXES.some((prefix) => plain.startsWith(prefix));
}

function answer(response: Response, origin: string): Response {
  const answered = new Response(response.body, response);
  // Whom to ask for a token is ours to say.
  answered.headers.delete("www-authenticate");
  const location = answered.headers.get("location");
  if (location !== null) answered.headers.set("location", ours(location, origin));
  return answered;
}

/** The registry's own address without scheme and host, which is then the worker's; another's address as it is. */
export function ours(location: string, origin: string): string {
  const url = URL.parse(location, origin);
  return url?.origin === origin ? url.pathname + url.search : location;
}
