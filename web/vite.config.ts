/** How the page is built: static files that work from any folder of any server. */

import { fileURLToPath } from "node:url";

import solid from "vite-plugin-solid";
import { defineConfig, type Plugin } from "vitest/config";

import { compress } from "./build/compress.ts";
import { engine } from "./build/engine.ts";
import { serviceWorker } from "./build/service-worker.ts";

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/**
 * What changes seldom is in files of its own, which stay in the browser's cache when the page
 * changes.
 */
const GROUPS: { name: string; test?: RegExp; tags?: "$initial"[] }[] = [
  { name: "engine", test: /virtual:engine|bindgen\/package\// },
  { name: "editor", test: /node_modules\/(@codemirror|@lezer|@marijn|crelt|style-mod|w3c-keyname)\// },
  { name: "yaml", test: /node_modules\/yaml\// },
  // In one file, because several that are loaded together are larger.
  { name: "page", tags: ["$initial"] },
];

// Unit tests run in node, where the package starts itself.
export default defineConfig({
  base: "./",
  plugins: [solid(), engine(), openForEditing(), serviceWorker(), compress()],
  resolve: { alias: { scopegate: path(`../target/bindgen/package/${process.env.VITEST ? "node" : "scopegate"}.js`) } },
  build: {
    outDir: path("../target/web"),
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    // Inlined files would be data of the page, which its policy does not let it fetch.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: { output: { codeSplitting: { groups: GROUPS } } },
  },
  test: {
    environment: "node",
    setupFiles: ["tests/ready.ts"],
    include: ["{src,build,tests}/**/*.test.{ts,tsx}"],
  },
});

/**
 * The page is edited without its policy: the development server sends styles inline and tells of
 * changes by a socket.
 */
function openForEditing(): Plugin {
  return {
    name: "open-for-editing",
    apply: "serve",
    transformIndexHtml: (html) => html.replace(/<meta\s+http-equiv="Content-Security-Policy"[^>]*>/, ""),
  };
}
