/**
 * Links as the page writes them, written here from the text that says how: `#1.` and the model,
 * deflated, in base64url.
 */

import { deflateRawSync, inflateRawSync } from "node:zlib";

/** A link to anything, a model or not. */
export function linkTo(value: unknown): string {
  return `#1.${deflateRawSync(JSON.stringify(value)).toString("base64url")}`;
}

/** The text that a link holds. */
export function unpacked(link: string): string {
  const packed = link.split("#1.")[1] ?? "";
  return inflateRawSync(Buffer.from(packed, "base64url")).toString();
}
