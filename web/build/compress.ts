/**
 * Puts a compressed copy beside each file of the built page, for servers that send it as it is, and
 * says how large the page is. A page that is larger than it may be is no page.
 */

import { readFile, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync, constants as zlib } from "node:zlib";

import type { Plugin, Rolldown } from "vite";

import { filesOf } from "./files.ts";

/** What may be sent, in bytes after brotli. */
const BUDGETS = { "first load": 150_000, "on first use": 150_000, package: 60_000 };

/** Images are compressed already. */
const IMAGES = [".png"];
const PACKAGE = fileURLToPath(new URL("../../target/bindgen/package", import.meta.url));

/** What a program loads of the package; the rest is for people and their tools. */
const LOADED = ["scopegate.js", "scopegate_bg.wasm"];

/** A file, or several together, and how large it is. */
interface Size {
  name: string;
  raw: number;
  brotli: number;
}

export function compress(): Plugin {
  return {
    name: "compress",
    apply: "build",
    writeBundle: {
      sequential: true,
      order: "post",
      handler: async ({ dir }, bundle) => {
        if (dir !== undefined) await compressAll(dir, loadedLater(bundle));
      },
    },
  };
}

/**
 * The scripts and styles that the page asks for when something needs them: the editor, readers,
 * writers, panels. All else comes with it.
 */
function loadedLater(bundle: Rolldown.OutputBundle): Set<string> {
  const chunks = new Map(
    Object.values(bundle).flatMap((file) => (file.type === "chunk" ? [[file.fileName, file]] : [])),
  );
  const withStyles = (files: Iterable<string>) =>
    [...files].flatMap((name) => [name, ...(chunks.get(name)?.viteMetadata?.importedCss ?? [])]);
  const first = new Set([...chunks.values()].filter(({ isEntry }) => isEntry).map(({ fileName }) => fileName));
  for (const name of first) for (const imported of chunks.get(name)?.imports ?? []) first.add(imported);
  const withFirst = new Set(withStyles(first));
  return new Set(withStyles(chunks.keys()).filter((name) => !withFirst.has(name)));
}

async function compressAll(folder: string, later: ReadonlySet<string>): Promise<void> {
  const page = await Promise.all((await filesOf(folder)).map((name) => writeCopies(folder, name)));
  const loaded = await Promise.all(LOADED.map((name) => sizeOf(PACKAGE, name)));
  const [onUse, first] = partition(page, ({ name }) => later.has(name));
  const totals = [total("first load", first), total("on first use", onUse), total("package", loaded)];
  console.log([...page, ...totals].map(line).join("\n"));
  const tooLarge = totals.filter(({ name, brotli }) => brotli > budgetOf(name));
  if (tooLarge.length > 0) {
    throw new Error(tooLarge.map(({ name }) => `${name} is larger than ${budgetOf(name)} bytes`).join("; "));
  }
}

/** Writes the compressed copies of a file, and gives its size. */
async function writeCopies(folder: string, name: string): Promise<Size> {
  const file = join(folder, name);
  const content = await readFile(file);
  if (IMAGES.includes(extname(name))) return { name, raw: content.length, brotli: content.length };
  const brotli = withBrotli(content);
  await writeFile(`${file}.br`, brotli);
  await writeFile(`${file}.gz`, gzipSync(content, { level: 9 }));
  return { name, raw: content.length, brotli: brotli.length };
}

async function sizeOf(folder: string, name: string): Promise<Size> {
  const content = await readFile(join(folder, name));
  return { name, raw: content.length, brotli: withBrotli(content).length };
}

function withBrotli(content: Buffer): Buffer {
  const { BROTLI_PARAM_QUALITY, BROTLI_MAX_QUALITY, BROTLI_PARAM_SIZE_HINT } = zlib;
  const params = { [BROTLI_PARAM_QUALITY]: BROTLI_MAX_QUALITY, [BROTLI_PARAM_SIZE_HINT]: content.length };
  return brotliCompressSync(content, { params });
}

function total(name: string, sizes: readonly Size[]): Size {
  const sum = (key: "raw" | "brotli") => sizes.reduce((all, size) => all + size[key], 0);
  return { name, raw: sum("raw"), brotli: sum("brotli") };
}

function budgetOf(name: string): number {
  return new Map<string, number>(Object.entries(BUDGETS)).get(name) ?? 0;
}

function line({ name, raw, brotli }: Size): string {
  return `${name.padEnd(32)} ${String(raw).padStart(8)} bytes, brotli ${String(brotli).padStart(7)}`;
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}
