// The engine's raw boundary, for node and for browsers, with what it answers as text.
//
// The boundary is specified in crates/scopegate-wasm/src/lib.rs; this is written from that text
// alone.

const ACTIONS = ["pull", "push", "delete", "metadata_read", "metadata_write", "deleted_read", "deleted_restore", "*"];
const TYPES = ["repository", "registry", "artifact-repository"];
const [ACCESS, DENIED] = [0, 1];
const encoder = new TextEncoder();
// A decoder drops a byte order mark unless it is told not to, and a scope may begin with one.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A text that the engine refused. */
export class Refused extends Error {
  constructor(low) {
    super("refused");
    this.number = low >>> 24;
    this.position = low & 0xffffff;
  }
}

export class Engine {
  /** `codes` tells the number of each kind of error and its code. */
  constructor(module, codes) {
    this.exports = new WebAssembly.Instance(module, {}).exports;
    this.codes = new Map(codes);
    if (this.exports.scopegate_abi_version() !== 2) throw new Error("another version of the boundary");
  }

  /** Compiles rules and keeps the table; gives its handle. */
  load(rules) {
    const [length] = this.#write(encoder.encode(rules.join("\n")));
    const table = this.#bytes(this.exports.scopegate_table_compile(length));
    const lengths = this.#write(new Uint8Array(0), table);
    return checked(this.exports.scopegate_table_load(...lengths)).low;
  }

  drop(table) {
    checked(this.exports.scopegate_table_drop(table));
  }

  /** What a request for scopes gets: granted, denied, and invalid, each as text. */
  decide(table, scopes, settings) {
    const handle = new Uint8Array(Uint32Array.of(table).buffer);
    const text = encoder.encode(scopes);
    const [, length] = this.#write(handle, text);
    return this.#readClaims(text, this.#bytes(this.exports.scopegate_claims(1, length, settings)));
  }

  /** The canonical path of a request, and the scopes that it needs. */
  route(method, target, settings) {
    const lengths = this.#write(encoder.encode(method), encoder.encode(target));
    return decoder.decode(this.#bytes(this.exports.scopegate_route(...lengths, settings))).split("\n");
  }

  /** What becomes of a request at the edge, as the engine writes it. */
  admit({ method, target, content_types, credential, access, settings }, { realm, service }) {
    const headers = content_types.map((value) => `Content-Type: ${value}\n`).join("");
    const texts = [method, target, headers, access, realm, service].map((text) => encoder.encode(text));
    const lengths = this.#write(...texts);
    return decoder.decode(this.#bytes(this.exports.scopegate_admit_request(...lengths, credential, settings)));
  }

  /** Whether claims are accepted, as the engine writes it. */
  accept({ payload, issuer, service, now }) {
    const lengths = this.#write(...[payload, issuer, service].map((text) => encoder.encode(text)));
    const halves = [Math.floor(now / 2 ** 32), now >>> 0];
    return decoder.decode(this.#bytes(this.exports.scopegate_accept_claims(...lengths, ...halves)));
  }

  /** The code and the position of a refusal. */
  describe(refused) {
    return `${this.codes.get(refused.number)}@${refused.position}`;
  }

  /** Writes byte strings to the input, one behind the other; gives their lengths. */
  #write(...parts) {
    const lengths = parts.map((part) => part.length);
    const address = this.exports.scopegate_input(lengths.reduce((sum, length) => sum + length, 0)) >>> 0;
    if (address === 0) throw new Error("no memory for the input");
    const memory = new Uint8Array(this.exports.memory.buffer);
    parts.reduce((at, part) => (memory.set(part, at), at + part.length), address);
    return lengths;
  }

  /** A copy of the bytes that a call gave. */
  #bytes(result) {
    const { high: address, low: length } = checked(result);
    return new Uint8Array(this.exports.memory.buffer).slice(address, address + length);
  }

  /** Reads the records of decided claims. */
  #readClaims(text, records) {
    const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
    const [access, denied, invalid] = [[], [], []];
    let at = 0;
    const word = () => view.getUint32((at += 4) - 4, true);
    const part = () => {
      const [offset, length] = [word(), word()];
      return decoder.decode(text.subarray(offset, offset + length));
    };
    while (at < records.length) {
      const [kind, what, name, packed, unknown] = [word(), word(), part(), word(), word()];
      if (kind !== ACCESS && kind !== DENIED) {
        invalid.push(`${this.codes.get(what)}@${packed}:${name}`);
        continue;
      }
      const actions = actionNames(packed);
      for (let index = 0; index < unknown; index++) actions.push(part());
      (kind === ACCESS ? access : denied).push(`${TYPES[what]}:${name === "" ? "*" : name}:${actions.join(",")}`);
    }
    return [access.join(" "), denied.join(" "), invalid.join(" ")];
  }
}

/** The two halves of a result that did not fail. */
function checked(result) {
  const high = Number(BigInt.asUintN(32, result >> 32n));
  const low = Number(BigInt.asUintN(32, result));
  if (high === 0xffffffff) throw new Refused(low);
  return { high, low };
}

function actionNames(packed) {
  const names = [];
  for (let rest = packed; rest !== 0; rest >>>= 4) names.push(ACTIONS[(rest & 15) - 1]);
  return names;
}
