// The cases through the engine's raw boundary in V8: a job on the first line of standard input, a
// group on each that follows.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { answers } from "./cases.mjs";
import { Engine } from "./engine.mjs";

const digests = createHash("sha256");
let [count, job, engine] = [0, null, null];
for await (const line of createInterface({ input: process.stdin })) {
  if (job === null) {
    job = JSON.parse(line);
    engine = new Engine(new WebAssembly.Module(readFileSync(job.wasm)), job.codes);
    continue;
  }
  const group = JSON.parse(line);
  digests.update(createHash("sha256").update(answers(engine, group, job)).digest());
  count += group.cases.length;
}
console.log(`${count} ${digests.digest("hex")}`);
