// The corpus through the engine's raw boundary in V8. Reads a job from standard input, writes a
// line for each case.

import { readFileSync } from "node:fs";
import { Engine, Refused } from "./engine.mjs";

const job = JSON.parse(readFileSync(0, "utf8"));
const engine = new Engine(new WebAssembly.Module(readFileSync(job.wasm)), job.codes);

function decide({ map, scope, settings }) {
  const table = engine.load(map);
  try {
    return engine.decide(table, scope.join(" "), settings);
  } finally {
    engine.drop(table);
  }
}

function route({ method, target, settings }) {
  try {
    return engine.route(method, target, settings);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return [`refused ${engine.describe(error).split("@")[0]}`];
  }
}

/** The status, the target or the challenge, and the type that is set. */
function admit(test) {
  const [status, head, contentType] = engine.admit(test, test).split("\n");
  return [status, head, status === "200" ? contentType : ""];
}

/** Until when claims are accepted and what they hold, or why they are not. */
function accept(test) {
  const [word, until, ...access] = engine.accept(test).split("\n");
  return until === undefined ? [word] : [word, until, access.filter((entry) => entry !== "").join(" ")];
}

/** What a case is about shows in what it holds. */
function answerTo(test) {
  if (test.payload !== undefined) return accept(test);
  if (test.map !== undefined) return decide(test);
  return test.credential === undefined ? route(test) : admit(test);
}

/** Everything but printable ASCII, and the backslash itself, as \u{…}. */
function escape(text) {
  return [...text].map((c) => (c === "\\" || c < " " || c > "~" ? `\\u{${c.codePointAt(0).toString(16)}}` : c)).join("");
}

const lines = job.cases.map((test) => `${[test.name, ...answerTo(test).map(escape)].join("\t")}\n`);
process.stdout.write(lines.join(""));
