// Whether a token is genuine. Whether its claims are accepted is the engine's to say.
//
// Of the header only `alg`, `kid`, `crit` and `b64` are read: a key that a token brings along
// proves nothing.

import type { Engine } from "./engine.ts";
import type { Key, Keys } from "./keys.ts";

/** A token that was verified. */
export interface Token {
  readonly key: Key;
  readonly expires: number;
  /** Its claims as they were signed: what revocations are asked about. */
  readonly payload: Uint8Array;
  /** The access entries as scopes, one a line. */
  readonly access: string;
}

export interface Expected {
  readonly issuer: string;
  readonly service: string;
}

/** The longest token, as at every enforcement point. */
const MAX_TOKEN = 32 * 1024;
const MAX_KEPT = 4096;
// With a byte order mark a text is no JSON.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class Tokens {
  readonly #keys: Keys;
  readonly #engine: Engine;
  readonly #expected: Expected;
  readonly #now: () => number;
  /** By digest, the oldest first. */
  readonly #verified = new Map<string, Token>();

  constructor(keys: Keys, engine: Engine, expected: Expected, now: () => number = Date.now) {
    this.#keys = keys;
    this.#engine = engine;
    this.#expected = expected;
    this.#now = now;
  }

  /** The token in this text; nothing when it is no good. */
  async verify(text: string): Promise<Token | undefined> {
    if (text.length > MAX_TOKEN) return undefined;
    const digest = encode(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
    const known = this.#verified.get(digest);
    if (known && this.#isGood(known)) return known;
    this.#verified.delete(digest);
    const token = await this.#read(text);
    if (token) this.#keep(digest, token);
    return token;
  }

  #isGood(token: Token): boolean {
    return this.#keys.has(token.key) && seconds(this.#now()) < token.expires;
  }

  #keep(digest: string, token: Token): void {
    const [oldest] = this.#verified.keys();
    if (this.#verified.size >= MAX_KEPT && oldest !== undefined) this.#verified.delete(oldest);
    this.#verified.set(digest, token);
  }

  async #read(text: string): Promise<Token | undefined> {
    const [header, payload, signature, ...rest] = text.split(".");
    if (!header || !payload || !signature || rest.length > 0) return undefined;
    const head = record(json(header));
    const sealed = decode(signature);
    const isExtended = head?.crit !== undefined || head?.b64 !== undefined;
    if (typeof head?.kid !== "string" || isExtended || !sealed) return undefined;
    const key = await this.#keys.find(head.kid);
    if (!key || head.alg !== key.algorithm) return undefined;
    const isGenuine = await key.verify(sealed, new TextEncoder().encode(`${header}.${payload}`));
    const claims = decode(payload);
    return isGenuine && claims ? this.#accept(claims, key) : undefined;
  }

  #accept(payload: Uint8Array, key: Key): Token | undefined {
    const { issuer, service } = this.#expected;
    const acceptance = this.#engine.acceptClaims(payload, issuer, service, seconds(this.#now()));
    if (acceptance.kind === "refused") return undefined;
    return { key, expires: acceptance.until, access: acceptance.access, payload };
  }
}

type Fields = Record<string, unknown>;

function record(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}

function json(part: string): unknown {
  try {
    const text = decoder.decode(decode(part));
    const value: unknown = JSON.parse(text);
    // The issuer writes no blanks, and no field twice: such a text could be read in two ways.
    return JSON.stringify(value) === text ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The bytes of base64url; nothing for another spelling of them, or bits that mean nothing. */
function decode(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(text) || text.length % 4 === 1) return undefined;
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const again = btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  if (again !== text) return undefined;
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function encode(bytes: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}
