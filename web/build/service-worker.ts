/**
 * Builds `sw.js` after the page, because it lists every file of the page.
 *
 * The digest of all names and contents names the cache, so that a page of which one byte has
 * changed is another page.
 */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build, type Plugin } from "vite";

import { filesOf } from "./files.ts";

const ENTRY = fileURLToPath(new URL("../src/service-worker.ts", import.meta.url));

export function serviceWorker(): Plugin {
  return {
    name: "service-worker",
    apply: "build",
    writeBundle: {
      sequential: true,
      order: "post",
      handler: async ({ dir }) => {
        if (dir !== undefined) await buildWorker(dir);
      },
    },
  };
}

async function buildWorker(folder: string): Promise<void> {
  const files = await filesOf(folder);
  await build({
    configFile: false,
    publicDir: false,
    logLevel: "warn",
    define: {
      __FILES__: JSON.stringify(files.map(addressOf)),
      __DIGEST__: JSON.stringify(await digest(folder, files)),
    },
    build: {
      outDir: folder,
      emptyOutDir: false,
      target: "es2022",
      rolldownOptions: { input: ENTRY, output: { format: "iife", entryFileNames: "sw.js" } },
    },
  });
}

/** Where the page asks for a file: the page itself is the folder. */
function addressOf(file: string): string {
  return file === "index.html" ? "./" : file;
}

async function digest(folder: string, files: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const file of files) {
    const content = await readFile(join(folder, file));
    hash.update(`${file} ${content.length}\n`).update(content);
  }
  return hash.digest("hex");
}
