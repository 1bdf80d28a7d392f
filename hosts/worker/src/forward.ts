// A request on its way to the registry, and the answer on its way back. Bodies are streamed, and
// never read.
//
// Which header fields pass is the engine's to say, both ways.

import type { Admission, HeaderRules } from "./engine.ts";
import type { Settings } from "./settings.ts";

/** What belongs to one connection, and is the platform's. */
const OF_CONNECTION = new Set(["expect", "host", "transfer-encoding"]);

type Decided = Extract<Admission, { kind: "forward" }>;

/**
 * Sends a request on as it was decided about: with the engine's target and type of body instead of
 * its own.
 */
export async function forward(
  request: Request,
  decided: Decided,
  rules: HeaderRules,
  settings: Settings,
): Promise<Response> {
  const { method, body, signal } = request;
  const headers = headersFor(request.headers, decided.contentType, rules);
  const init: RequestInit = { method, headers, body, signal, redirect: "manual" };
  const response = await settings.registry.fetch(exactly(settings.origin, decided.target), init);
  return answer(response, rules, settings.origin);
}

/**
 * The address of a target. `fetch` normalises whatever it is given, so a path that would not arrive
 * as the engine spelt it is not sent. In a query it escapes a few more characters, which says the
 * same.
 */
export function exactly(origin: string, target: string): string {
  const address = origin + target;
  const url = new URL(address);
  const [path] = target.split("?");
  if (url.origin !== origin || url.pathname !== path || url.hash !== "")
    throw new Error("the target has another spelling");
  return address;
}

export function headersFor(received: Headers, contentType: string, { sent }: HeaderRules): Headers {
  const headers = new Headers();
  for (const [name, value] of received) {
    if (sent.has(name) && !OF_CONNECTION.has(name)) headers.append(name, value);
  }
  if (contentType === "") headers.delete("content-type");
  else headers.set("content-type", contentType);
  return headers;
}

export function answer(response: Response, { withheld, added }: HeaderRules, origin: string): Response {
  const answered = new Response(response.body, response);
  const isWithheld = (name: string) =>
    withheld.some((other) => (other.endsWith("*") ? name.startsWith(other.slice(0, -1)) : name === other));
  // Whom to ask for a token is ours to say.
  for (const name of [...answered.headers.keys()]) {
    if (isWithheld(name) || name === "www-authenticate") answered.headers.delete(name);
  }
  for (const [name, value] of added) answered.headers.set(name, value);
  const location = answered.headers.get("location");
  if (location !== null) answered.headers.set("location", ours(location, origin));
  return answered;
}

/**
 * The registry's own address without scheme and host, which is then the worker's; another's
 * address as it is.
 */
export function ours(location: string, origin: string): string {
  const url = URL.parse(location, origin);
  return url?.origin === origin ? url.pathname + url.search : location;
}
