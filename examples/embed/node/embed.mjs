// What does a token get? The engine's module in V8: node embed.mjs ENGINE.wasm MAP.json SCOPE...
//
// The boundary is specified in the header of crates/scopegate-wasm/src/lib.rs.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const FAILED = 0xffffffff;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The engine refused a text: the number of the error, and where in the text. */
export class Refused extends Error {
  constructor(low) {
    super(`error ${low >>> 24} at ${low & 0xffffff}`);
    this.number = low >>> 24;
    this.position = low & 0xffffff;
  }
}

export class Engine {
  constructor(wasm) {
    this.exports = new WebAssembly.Instance(new WebAssembly.Module(wasm), {}).exports;
    if (this.exports.scopegate_abi_version() !== 2) throw new Error("another version of the boundary");
  }

  /** Compiles the actions of a scope map; gives a handle for `explain`. */
  load(name, rules) {
    const table = this.#bytes(this.exports.scopegate_table_compile(...this.#write(rules.join("\n"))));
    return this.#checked(this.exports.scopegate_table_load(...this.#write(name, table)))[1];
  }

  /** The decision about each scope, with its reasons and what would change it. */
  explain(table, scopes) {
    const handle = new Uint8Array(4);
    new DataView(handle.buffer).setUint32(0, table, true);
    const [, length] = this.#write(handle, scopes.join(" "));
    return JSON.parse(this.#text(this.exports.scopegate_explain(1, length, 0)));
  }

  /** The canonical path of an HTTP request, and the scopes that it needs. */
  route(method, target, settings = 0) {
    return this.#text(this.exports.scopegate_route(...this.#write(method, target), settings)).split("\n");
  }

  /**
   * What becomes of a request, whose headers are pairs: 200 with the target, the Content-Type and
   * the scopes, or the status with the challenge and the body. Send on this target and this type
   * (nothing: none), whatever came.
   */
  admit(method, target, headers, access, realm, service, credential = 2, settings = 0) {
    if (headers.some(([, value]) => value.includes("\n"))) throw new Error("a header of two lines");
    const lines = headers.map(([name, value]) => `${name}: ${value}\n`).join("");
    const lengths = this.#write(method, target, lines, access.join("\n"), realm, service);
    const written = this.#text(this.exports.scopegate_admit_request(...lengths, credential, settings));
    const [status, head, ...rest] = written.split("\n");
    return status === "200" ? [200, head, ...rest] : [Number(status), head, rest.join("\n")];
  }

  challenge(realm, service, scopes, error = 0) {
    return this.#text(this.exports.scopegate_challenge(...this.#write(realm, service, scopes.join(" ")), error));
  }

  #write(...parts) {
    const encoded = parts.map((part) => (typeof part === "string" ? encoder.encode(part) : part));
    const lengths = encoded.map((part) => part.length);
    let address = this.exports.scopegate_input(lengths.reduce((sum, length) => sum + length, 0)) >>> 0;
    if (address === 0) throw new Error("the engine has no memory left");
    const memory = new Uint8Array(this.exports.memory.buffer);
    for (const part of encoded) {
      memory.set(part, address);
      address += part.length;
    }
    return lengths;
  }

  #checked(result) {
    const [high, low] = [result >> 32n, result].map((half) => Number(BigInt.asUintN(32, half)));
    if (high === FAILED) throw new Refused(low);
    return [high, low];
  }

  #bytes(result) {
    const [address, length] = this.#checked(result);
    return new Uint8Array(this.exports.memory.buffer).slice(address, address + length);
  }

  #text(result) {
    return decoder.decode(this.#bytes(result));
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [wasm, map, ...scopes] = process.argv.slice(2);
  const engine = new Engine(readFileSync(wasm));
  const { name, actions } = JSON.parse(readFileSync(map, "utf8"));
  for (const { text } of engine.explain(engine.load(name, actions), scopes)) process.stdout.write(text);
}
