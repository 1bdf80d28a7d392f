// The corpus through the engine's raw boundary in V8. Reads a job from standard input, writes a line for each case.
//
// The boundary is specified in crates/scopegate-wasm/src/lib.rs; this is written from that text alone.

import { readFileSync } from "node:fs";

const job = JSON.parse(readFileSync(0, "utf8"));
const codes = new Map(job.codes);
const { instance } = await WebAssembly.instantiate(readFileSync(job.wasm), {});
const engine = instance.exports;
if (engine.scopegate_abi_version() !== 1) throw new Error("another version of the boundary");

const ACTIONS = ["pull", "push", "delete", "metadata_read", "metadata_write", "deleted_read", "deleted_restore", "*"];
const TYPES = ["repository", "registry", "artifact-repository"];
const [ACCESS, DENIED] = [0, 1];
const encoder = new TextEncoder();
// A decoder drops a byte order mark unless it is told not to, and a scope may begin with one.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Writes byte strings to the input, one behind the other; gives their lengths. */
function write(...parts) {
  const lengths = parts.map((part) => part.length);
  const address = engine.scopegate_input(lengths.reduce((sum, length) => sum + length, 0)) >>> 0;
  if (address === 0) throw new Error("no memory for the input");
  const memory = new Uint8Array(engine.memory.buffer);
  parts.reduce((at, part) => (memory.set(part, at), at + part.length), address);
  return lengths;
}

class Refused extends Error {
  constructor(low) {
    super("refused");
    this.number = low >>> 24;
    this.position = low & 0xffffff;
  }
}

/** The two halves of a result that did not fail. */
function checked(result) {
  const high = Number(BigInt.asUintN(32, result >> 32n));
  const low = Number(BigInt.asUintN(32, result));
  if (high === 0xffffffff) throw new Refused(low);
  return { high, low };
}

/** A copy of the bytes that a call gave. */
function bytes(result) {
  const { high: address, low: length } = checked(result);
  return new Uint8Array(engine.memory.buffer).slice(address, address + length);
}

function loadTable(rules) {
  const [length] = write(encoder.encode(rules.join("\n")));
  const table = bytes(engine.scopegate_table_compile(length));
  const lengths = write(new Uint8Array(0), table);
  return checked(engine.scopegate_table_load(...lengths)).low;
}

function actionNames(packed) {
  const names = [];
  for (let rest = packed; rest !== 0; rest >>>= 4) names.push(ACTIONS[(rest & 15) - 1]);
  return names;
}

/** Reads the records of decided claims. */
function readClaims(text, records) {
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  const answer = { access: [], denied: [], invalid: [] };
  let at = 0;
  const word = () => view.getUint32((at += 4) - 4, true);
  const part = () => {
    const [offset, length] = [word(), word()];
    return decoder.decode(text.subarray(offset, offset + length));
  };
  while (at < records.length) {
    const [kind, what, name, packed, unknown] = [word(), word(), part(), word(), word()];
    if (kind !== ACCESS && kind !== DENIED) {
      answer.invalid.push(`${codes.get(what)}@${packed}:${name}`);
      continue;
    }
    const actions = actionNames(packed);
    for (let index = 0; index < unknown; index++) actions.push(part());
    const entry = `${TYPES[what]}:${name === "" ? "*" : name}:${actions.join(",")}`;
    (kind === ACCESS ? answer.access : answer.denied).push(entry);
  }
  return answer;
}

function decide({ map, scope, settings }) {
  const table = loadTable(map);
  try {
    const handle = new Uint8Array(Uint32Array.of(table).buffer);
    const text = encoder.encode(scope.join(" "));
    const [, length] = write(handle, text);
    const { access, denied, invalid } = readClaims(text, bytes(engine.scopegate_claims(1, length, settings)));
    return [access.join(" "), denied.join(" "), invalid.join(" ")];
  } finally {
    checked(engine.scopegate_table_drop(table));
  }
}

function route({ method, target, settings }) {
  try {
    const lengths = write(encoder.encode(method), encoder.encode(target));
    return decoder.decode(bytes(engine.scopegate_route(...lengths, settings))).split("\n");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return [`refused ${codes.get(error.number)}`];
  }
}

function admit({ method, target, access, realm, service, credential, settings }) {
  const lengths = write(...[method, target, access, realm, service].map((part) => encoder.encode(part)));
  return decoder.decode(bytes(engine.scopegate_admit(...lengths, credential, settings))).split("\n").slice(0, 2);
}

/** What a case is about shows in what it holds. */
function answerTo(test) {
  if (test.map !== undefined) return decide(test);
  return test.credential === undefined ? route(test) : admit(test);
}

/** Everything but printable ASCII, and the backslash itself, as \u{…}. */
function escape(text) {
  return [...text].map((c) => (c === "\\" || c < " " || c > "~" ? `\\u{${c.codePointAt(0).toString(16)}}` : c)).join("");
}

const lines = job.cases.map((test) => {
  return [test.name, ...answerTo(test).map(escape)].join("\t") + "\n";
});
process.stdout.write(lines.join(""));
