/** What travels as text arrives as the same bytes. */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

import { bytes, sha256 } from "virtual:engine";
import { expect, test } from "vitest";

import { script } from "./engine.ts";

test("every byte survives", async () => {
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const url = `data:text/javascript;charset=utf-8,${encodeURIComponent(script(all))}`;
  const arrived = await import(/* @vite-ignore */ url);
  expect([...arrived.bytes]).toEqual([...all]);
});

test("the page carries the module of the package", async () => {
  const module = await readFile(new URL("../../target/bindgen/package/scopegate_bg.wasm", import.meta.url));
  expect(Buffer.compare(module, bytes)).toBe(0);
  expect(sha256).toBe(createHash("sha256").update(module).digest("hex"));
});
