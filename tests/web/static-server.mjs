/**
 * Serves a folder as any host of static files does: on loopback, on a port that was free, and
 * counts what is asked for.
 *
 * A compressed copy beside a file is sent to clients that accept it. No header is of ours: the page
 * has to be safe without.
 */

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

/** @type {Record<string, string>} */
const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};

/**
 * Starts a server of a folder.
 *
 * @param {string} folder
 */
export async function serve(folder) {
  /** @type {string[]} */
  const requests = [];
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    requests.push(path);
    const { status, headers, body } = await answer(folder, path, request.headers["accept-encoding"] ?? "");
    response.writeHead(status, headers).end(body);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", () => listening(undefined)));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port to listen on");
  return {
    url: `http://127.0.0.1:${address.port}/`,
    /** The paths that were asked for, in order. */
    requests,
    close: () => {
      server.closeAllConnections();
      return new Promise((closed) => server.close(closed));
    },
  };
}

/**
 * @param {string} folder
 * @param {string} path
 * @param {string} encodings
 */
async function answer(folder, path, encodings) {
  const file = join(folder, normalize(path.endsWith("/") ? `${path}index.html` : path));
  const type = TYPES[extname(file)];
  const compressed = encodings.includes("br") ? await read(`${file}.br`) : undefined;
  const body = compressed ?? (await read(file));
  if (body === undefined || type === undefined) return { status: 404, headers: {}, body: "" };
  const encoding = compressed === undefined ? {} : { "content-encoding": "br" };
  return { status: 200, headers: { "content-type": type, vary: "accept-encoding", ...encoding }, body };
}

/** @param {string} file */
async function read(file) {
  try {
    return await readFile(file);
  } catch {
    return undefined;
  }
}
