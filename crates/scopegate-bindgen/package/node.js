/**
 * The engine in node: ready when it is imported.
 *
 * The module is read from the file beside this one and compiled at once, so that callers do not wait for a promise.
 * Elsewhere `scopegate.js` is imported instead, which wants the module's bytes first.
 */

import { readFileSync } from "node:fs";

import { initSync } from "./scopegate.js";

initSync({ module: readFileSync(new URL("scopegate_bg.wasm", import.meta.url)) });

export * from "./scopegate.js";
