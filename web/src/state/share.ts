/**
 * The whole page in the fragment of its address: `#1.` and the model, as JSON, deflated, in
 * base64url.
 *
 * A browser never sends the fragment to a server. A link carries no signature of a token and no
 * password: they are taken out of everything that is written before it is packed. The number is the
 * version of the model; a link of an older one is read over the defaults of today.
 */

import { withoutSecrets } from "../recognise";
import { blank, type Model } from "./model";
import { isModel } from "./schema";

export const VERSION = 1;

export type Opened = { kind: "model"; model: Model } | { kind: "nothing" } | { kind: "refused"; message: string };

/** The fragment that holds the model. */
export async function pack(model: Model): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(clean(model)));
  return `${VERSION}.${toBase64Url(await through(bytes, new CompressionStream("deflate-raw")))}`;
}

/** The model that a fragment holds. */
export async function unpack(fragment: string): Promise<Opened> {
  const text = fragment.replace(/^#/, "");
  if (text === "") return { kind: "nothing" };
  // A link that is written into a sentence, or copied out of one, gets more at its end.
  const match = /^(\d+)\.([A-Za-z0-9_-]*)(?:[\s.,;:!?)\]>"']|%20|%22|%3E)*$/i.exec(text);
  if (!match) return { kind: "refused", message: "This link isn't valid." };
  const [, version = "", packed = ""] = match;
  if (Number(version) > VERSION) {
    return {
      kind: "refused",
      message: "This link needs a newer version. Close all Scopegate tabs, then open it again.",
    };
  }
  try {
    const bytes = await through(fromBase64Url(packed), new DecompressionStream("deflate-raw"));
    return check(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch {
    return { kind: "refused", message: "This link is incomplete or damaged. Ask the sender to copy it again." };
  }
}

/** A model from elsewhere, over the defaults: fields of an older version may be missing. */
export function check(value: unknown): Opened {
  const model = overDefaults(value);
  if (isModel(model)) return { kind: "model", model };
  return { kind: "refused", message: "This link contains data this page can't read." };
}

/** Fields that an older version did not have are as on an untouched page. */
function overDefaults(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const { token } = value as { token?: unknown };
  const defaults = blank();
  const settings = typeof token === "object" && token !== null ? { ...defaults.token, ...token } : token;
  return { ...defaults, ...value, ...(token === undefined ? {} : { token: settings }) };
}

/**
 * The model without secrets, as it may be kept and sent: people paste into any field.
 */
export function clean(model: Model): Model {
  return cleaned(model) as Model;
}

function cleaned(value: unknown): unknown {
  if (typeof value === "string") return withoutSecrets(value);
  if (Array.isArray(value)) return value.every((item) => typeof item === "string") ? lines(value) : value.map(cleaned);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, cleaned(field)]));
}

/** Lines of one text: what makes a line a secret may be in the one before. */
function lines(texts: string[]): string[] {
  const together = withoutSecrets(texts.join("\n")).split("\n");
  return together.length === texts.length ? together : texts.map(withoutSecrets);
}

/** The most bytes that a link unpacks to: a small one could be made to unpack to gigabytes. */
const MAX_BYTES = 16 << 20;

async function through(bytes: Uint8Array<ArrayBuffer>, stream: CompressionStream | DecompressionStream) {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let total = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    total += next.value.length;
    if (total > MAX_BYTES) throw new RangeError("more than a link may hold");
    chunks.push(next.value);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

function toBase64Url(bytes: Uint8Array): string {
  // In pieces, because the number of arguments of a call is limited.
  let text = "";
  for (let start = 0; start < bytes.length; start += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(start, start + 0x8000));
  }
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
