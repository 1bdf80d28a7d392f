// Whether a token is genuine. What it is made of, and whether its claims are accepted, is the
// engine's to say.

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
const encoder = new TextEncoder();

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
    const digest = encode(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
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
    const signed = this.#engine.signedParts(text);
    if (!signed) return undefined;
    const key = await this.#keys.find(signed.kid);
    if (!key || signed.algorithm !== key.algorithm) return undefined;
    const isGenuine = await key.verify(signed.signature, encoder.encode(signed.message));
    return isGenuine ? this.#accept(signed.payload, key) : undefined;
  }

  #accept(payload: Uint8Array, key: Key): Token | undefined {
    const { issuer, service } = this.#expected;
    const acceptance = this.#engine.acceptClaims(payload, issuer, service, seconds(this.#now()));
    if (acceptance.kind === "refused") return undefined;
    return { key, expires: acceptance.until, access: acceptance.access, payload };
  }
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}

function encode(bytes: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}
