// The engine's module behind its raw boundary, version 2; the header of
// crates/scopegate-wasm/src/lib.rs specifies it.
//
// One instance serves the isolate: a call is synchronous, so two requests never share the buffers.

/** What came with a request, as the boundary numbers it. */
export const Credential = { Absent: 0, Invalid: 1, Valid: 2 } as const;

/** A request as the engine decides about it. */
export interface Question {
  readonly method: string;
  /** The target as in the request line. */
  readonly target: string;
  readonly headers: Headers;
  readonly credential: (typeof Credential)[keyof typeof Credential];
  /** The token's access entries as scopes, one a line. */
  readonly access: string;
  readonly realm: string;
  readonly service: string;
  /** Profile and untag, packed. */
  readonly settings: number;
}

/** What becomes of it. */
export type Admission =
  | {
      readonly kind: "forward";
      readonly target: string;
      /** What the registry is told of the body, in place of whatever came; empty: nothing. */
      readonly contentType: string;
    }
  | { readonly kind: "refusal"; readonly status: number; readonly challenge: string; readonly body: string };

/** Whether claims are accepted. */
export type Acceptance =
  | {
      readonly kind: "accepted";
      /** The second from which they are not any more. */
      readonly until: number;
      /** The access entries as scopes, one a line. */
      readonly access: string;
    }
  | { readonly kind: "refused"; readonly reason: string };

/** A signed text in its parts. Nothing of it is true before its signature is verified. */
export interface Signed {
  readonly algorithm: string;
  readonly kid: string;
  readonly payload: Uint8Array<ArrayBuffer>;
  readonly signature: Uint8Array<ArrayBuffer>;
  /** What was signed. */
  readonly message: string;
}

/** A key that verifies, as WebCrypto imports it. */
export interface PublishedKey extends JsonWebKey {
  readonly kid: string;
  readonly alg: string;
}

/** The keys of a set that verify; or that there is none, or no set. */
export type KeySet =
  | { readonly kind: "keys"; readonly keys: readonly PublishedKey[] }
  | { readonly kind: "none"; readonly reason: string }
  | { readonly kind: "unreadable" };

/** What the module knows of revoked tokens. It ends with its instance. */
export interface KnownRevocations {
  readonly instance: Exports;
  readonly handle: number;
  /** What to ask the feed with. */
  revision: number;
  /** Empty while none is known. */
  epoch: string;
}

interface Exports extends WebAssembly.Exports {
  readonly memory: WebAssembly.Memory;
  scopegate_abi_version(): number;
  scopegate_input(length: number): number;
  scopegate_admit_request(...lengthsCredentialSettings: number[]): bigint;
  scopegate_accept_claims(...lengthsHalvesOfNow: number[]): bigint;
  scopegate_header_names(list: number): bigint;
  scopegate_signed_parts(length: number): bigint;
  scopegate_verifying_keys(length: number): bigint;
  scopegate_revocations_new(): bigint;
  scopegate_revocations_ingest(revocations: number, length: number): bigint;
  scopegate_revocations_has(revocations: number, length: number): bigint;
}

/** Which header fields pass, in lower case. */
export interface HeaderRules {
  /** Those of a request that may be sent on. */
  readonly sent: ReadonlySet<string>;
  /** Those of an answer that may not be passed on; one that ends with `*` is a beginning. */
  readonly withheld: readonly string[];
  /** Those that every answer gets. */
  readonly added: ReadonlyArray<readonly [name: string, value: string]>;
}

/**
 * More than a request line and the longest token hold. What is longer is refused before it is
 * copied.
 */
const MOST = 256 * 1024;
/** The longest answer of the token server. */
const MOST_OF_SERVER = 16 * 1024 * 1024;
const FAILED = 0xffff_ffff;

export class Engine {
  readonly #module: WebAssembly.Module;
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #exports: Exports;
  #view: Uint8Array;
  readonly headerRules: HeaderRules;

  constructor(module: WebAssembly.Module) {
    this.#module = module;
    this.#exports = instantiate(module);
    this.#view = new Uint8Array(this.#exports.memory.buffer);
    const [sent, withheld, added] = [0, 1, 2].map((list) => this.#headerNames(list));
    this.headerRules = {
      sent: new Set(sent),
      withheld: withheld ?? [],
      added: (added ?? []).map((line) => cut(line, ": ")),
    };
  }

  /**
   * Decides about a request. Throws when the engine cannot say; the caller then lets nothing pass.
   */
  admit(question: Question): Admission {
    const { method, target, headers, access, realm, service, credential, settings } = question;
    const parts = [method, target, lines(headers), access, realm, service];
    return readAdmission(this.#ask(parts, (e, lengths) => e.scopegate_admit_request(...lengths, credential, settings)));
  }

  /**
   * Whether the claims of a token are accepted at a time, in seconds since 1970. The payload is as
   * it was signed, and the signature good. Throws when the engine cannot say.
   */
  acceptClaims(payload: Uint8Array, issuer: string, service: string, now: number): Acceptance {
    const halves = [Math.floor(now / 2 ** 32), now >>> 0];
    const parts = [payload, issuer, service];
    return readAcceptance(this.#ask(parts, (e, lengths) => e.scopegate_accept_claims(...lengths, ...halves)));
  }

  /** What a token is made of; nothing for a text that is no signed one. */
  signedParts(text: string): Signed | undefined {
    const parts = this.#guarded(() => {
      const [length = 0] = this.#write([text], MOST);
      return this.#bytes(this.#exports.scopegate_signed_parts(length)).slice();
    });
    if (parts.length === 0) return undefined;
    const lengths = new DataView(parts.buffer);
    const [alg, kid, payload] = [0, 4, 8].map((at) => lengths.getUint32(at, true)) as [number, number, number];
    const [behindAlg, behindKid, behindPayload] = [12 + alg, 12 + alg + kid, 12 + alg + kid + payload];
    return {
      algorithm: this.#decoder.decode(parts.subarray(12, behindAlg)),
      kid: this.#decoder.decode(parts.subarray(behindAlg, behindKid)),
      payload: parts.slice(behindKid, behindPayload),
      signature: parts.slice(behindPayload),
      message: text.slice(0, text.lastIndexOf(".")),
    };
  }

  /** The keys of a set that verify. Throws when the engine cannot say. */
  verifyingKeys(set: Uint8Array): KeySet {
    const text = this.#ask([set], (e, lengths) => e.scopegate_verifying_keys(...(lengths as [number])), MOST_OF_SERVER);
    if (text.startsWith("[")) return { kind: "keys", keys: JSON.parse(text) };
    return text === "unreadable_keys" ? { kind: "unreadable" } : { kind: "none", reason: text };
  }

  /** Revocations of which none is known yet. */
  newRevocations(): KnownRevocations {
    const handle = this.#number(this.#exports.scopegate_revocations_new());
    return { instance: this.#exports, handle, revision: 0, epoch: "" };
  }

  /** Whether they are there still: a trap ends them. */
  holds({ instance }: KnownRevocations): boolean {
    return instance === this.#exports;
  }

  /** Takes an answer of the feed: `taken`, or the word for why not. */
  ingest(known: KnownRevocations, answer: Uint8Array): string {
    this.#check(known);
    const call = (e: Exports, [length = 0]: number[]) => e.scopegate_revocations_ingest(known.handle, length);
    const [outcome, now] = cut(this.#ask([answer], call, MOST_OF_SERVER), "\n");
    const [revision, epoch] = cut(now, "\n");
    [known.revision, known.epoch] = [Number(revision), epoch];
    return outcome;
  }

  /** Whether a token is revoked, by its claims as they were signed and accepted. */
  isRevoked(known: KnownRevocations, payload: Uint8Array): boolean {
    this.#check(known);
    return this.#call([payload], (e, [length = 0]) => e.scopegate_revocations_has(known.handle, length)) !== 0;
  }

  #check(known: KnownRevocations): void {
    if (!this.holds(known)) throw new Error("the revocations ended with their instance");
  }

  #ask(parts: Parts, call: Call, most = MOST): string {
    return this.#guarded(() => {
      const lengths = this.#write(parts, most);
      return this.#text(call(this.#exports, lengths));
    });
  }

  #call(parts: Parts, call: Call): number {
    return this.#guarded(() => {
      const lengths = this.#write(parts, MOST);
      return this.#number(call(this.#exports, lengths));
    });
  }

  #guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) this.#startAgain();
      throw error;
    }
  }

  #headerNames(list: number): string[] {
    return this.#text(this.#exports.scopegate_header_names(list)).split("\n");
  }

  #write(parts: Parts, most: number): number[] {
    const encoded = parts.map((part) => (typeof part === "string" ? this.#encoder.encode(part) : part));
    const total = encoded.reduce((sum, part) => sum + part.length, 0);
    if (total > most) throw new Error("the text is too long for the engine");
    let address = this.#exports.scopegate_input(total) >>> 0;
    if (address === 0) throw new Error("the engine has no memory left");
    const view = this.#memory();
    for (const part of encoded) {
      view.set(part, address);
      address += part.length;
    }
    return encoded.map((part) => part.length);
  }

  #text(result: bigint): string {
    return this.#decoder.decode(this.#bytes(result));
  }

  /** They are the engine's until the next call. */
  #bytes(result: bigint): Uint8Array {
    const [high, low] = halves(result);
    return this.#memory().subarray(high, high + low);
  }

  #number(result: bigint): number {
    return halves(result)[1];
  }

  /** A view is good until the memory grows, which leaves it empty. */
  #memory(): Uint8Array {
    if (this.#view.length === 0) this.#view = new Uint8Array(this.#exports.memory.buffer);
    return this.#view;
  }

  /** A trap means a defect: what is left of the instance is not used again. */
  #startAgain(): void {
    this.#exports = instantiate(this.#module);
    this.#view = new Uint8Array(this.#exports.memory.buffer);
  }
}

type Parts = readonly (string | Uint8Array)[];
type Call = (exports: Exports, lengths: number[]) => bigint;

/** The two halves of a result of a call that did not fail. */
function halves(result: bigint): readonly [high: number, low: number] {
  const high = Number(BigInt.asUintN(32, result >> 32n));
  const low = Number(BigInt.asUintN(32, result));
  if (high === FAILED) throw new Error(`the engine refused with ${low >>> 24} at ${low & 0xff_ffff}`);
  return [high, low];
}

function instantiate(module: WebAssembly.Module): Exports {
  const exports = new WebAssembly.Instance(module, {}).exports as Exports;
  if (exports.scopegate_abi_version() !== 2) throw new Error("the engine speaks another version of its boundary");
  return exports;
}

/**
 * Header fields as the boundary takes them, one a line. A platform that joins two lines of a field
 * puts a comma between them.
 */
function lines(headers: Headers): string {
  return [...headers].map(([name, value]) => `${name}: ${value}\n`).join("");
}

/** One word, or that they are accepted, until when, and what they hold. */
function readAcceptance(text: string): Acceptance {
  if (!text.startsWith("accepted\n")) return { kind: "refused", reason: text };
  const [until, access] = cut(text.slice("accepted\n".length), "\n");
  return { kind: "accepted", until: Number(until), access };
}

/** Parts with a line feed between them; the last of a refusal is its body. */
function readAdmission(text: string): Admission {
  const [status, afterStatus] = cut(text, "\n");
  const [head, rest] = cut(afterStatus, "\n");
  if (status !== "200") return { kind: "refusal", status: Number(status), challenge: head, body: rest };
  const [contentType] = cut(rest, "\n");
  return { kind: "forward", target: head, contentType };
}

/** The text before and after the first separator. */
function cut(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  if (at < 0) throw new Error("the engine gave an invalid answer");
  return [text.slice(0, at), text.slice(at + separator.length)];
}
