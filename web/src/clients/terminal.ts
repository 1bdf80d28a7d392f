/**
 * What a person reads when a request is refused: the client's words around those of the registry.
 */

import { type Profile, unauthorizedBody } from "../engine";
import { fill, type Words } from "./placeholder";

/** The message of each registry's 401. */
export const messages: Readonly<Record<Profile, string>> = {
  acr: "authentication required, visit https://aka.ms/acr/authorization for more information.",
  distribution: "authentication required",
};

interface Refused {
  readonly method: string;
  readonly target: string;
  readonly required: string[];
}

/**
 * Fills `{message}` and `{detail}` from the registry's body, and `{method}`, `{url}` and `{path}`
 * from the request.
 */
export function refusalText(text: string, refused: Refused, words: Words, profile: Profile): string {
  const body = unauthorizedBody(messages[profile], refused.required);
  const [path = ""] = refused.target.split("?");
  const url = `https://${words.registry ?? ""}${refused.target}`;
  const filled = { message: messages[profile], detail: goMaps(body), body, path, url, method: refused.method };
  return fill(text, { ...words, ...filled });
}

/**
 * The detail of the body as Go prints it, which is what crane, oras and Helm show:
 * `[map[Action:pull Name:a Type:repository]]`.
 */
function goMaps(body: string): string {
  const { errors } = JSON.parse(body) as { errors: { detail: Record<string, string>[] | null }[] };
  const details = errors.flatMap((error) => error.detail ?? []);
  const maps = details.map((detail) => Object.entries(detail).toSorted(([a], [b]) => a.localeCompare(b)));
  return `[${maps.map((pairs) => `map[${pairs.map((pair) => pair.join(":")).join(" ")}]`).join(" ")}]`;
}
