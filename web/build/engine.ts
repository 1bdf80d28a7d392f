/**
 * `virtual:engine`: the engine's WebAssembly module as JavaScript, and its SHA-256.
 *
 * The page may open no connection, not even to where it came from, so the module cannot be fetched
 * and travels inside a script. There it is text in which each letter is one byte. After brotli that
 * is 45 KB for a module of 109 KB, where base64 is 57 and the module itself 44: what repeats in a
 * module does not repeat in base64.
 */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import type { Plugin } from "vite";

const NAME = "virtual:engine";
/** By convention other plugins leave alone what begins with this. */
const RESOLVED = `\0${NAME}`;
const FILE = fileURLToPath(new URL("../../target/bindgen/package/scopegate_bg.wasm", import.meta.url));

export function engine(): Plugin {
  return {
    name: "engine",
    resolveId: (id) => (id === NAME ? RESOLVED : undefined),
    async load(id) {
      if (id !== RESOLVED) return undefined;
      this.addWatchFile(FILE);
      return script(await readFile(FILE));
    },
  };
}

/** A script that exports the bytes and their SHA-256. */
export function script(module: Buffer): string {
  return [
    `const text = ${literal(module.toString("latin1"))};`,
    "export const bytes = new Uint8Array(text.length);",
    // A plain loop: a callback for each byte is 40 ms of the start on a slow phone.
    "for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);",
    `export const sha256 = "${createHash("sha256").update(module).digest("hex")}";`,
  ].join("\n");
}

/** The text as a literal. JSON would write every control character as six letters. */
function literal(text: string): string {
  const escaped = text.replace(/[\\"\n\r]/g, (letter) => ESCAPES[letter] ?? letter);
  return `"${escaped}"`;
}

const ESCAPES: Record<string, string> = { "\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r" };
