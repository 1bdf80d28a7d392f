// Cases through the example for Node: one JSON object a line in, one answer a line out.
// `node stream.mjs ENGINE.wasm`

import { readFileSync } from "node:fs";
import { Engine, Refused } from "../../examples/embed/node/embed.mjs";

const engine = new Engine(readFileSync(process.argv[2]));

function answer({ kind, map, scopes, method, target, headers, access, realm, service, credential, settings }) {
  try {
    if (kind === "explain") return engine.explain(engine.load("", map), scopes).map(({ text }) => text);
    if (kind === "route") return engine.route(method, target, settings);
    return engine.admit(method, target, headers, access, realm, service, credential, settings);
  } catch (error) {
    if (error instanceof Refused) return error.message;
    throw error;
  }
}

const lines = readFileSync(0, "utf8").split("\n").filter((line) => line !== "");
process.stdout.write(lines.map((line) => `${JSON.stringify(answer(JSON.parse(line)))}\n`).join(""));
