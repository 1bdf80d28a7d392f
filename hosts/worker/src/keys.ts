// The keys that tokens are signed with: a JWKS, RFC 7517, kept for a while.
//
// Which keys of a set verify follows crates/scopegate-edge/src/jwks.rs. The algorithm belongs to
// the key and not to the token. A set that cannot be fetched leaves the last good one in place; in
// one with more than a hundred keys, or with two of one id, there is none.

import type { Fetcher } from "./settings.ts";

/** A key that verifies, with the one algorithm that it is for. */
export interface Key {
  readonly id: string;
  readonly algorithm: string;
  verify(signature: BufferSource, data: BufferSource): Promise<boolean>;
}

/**
 * How long a set is used before it is fetched again, and how soon an unknown key may have it
 * fetched, in milliseconds.
 */
const FRESH = 5 * 60_000;
const SOONEST = 5_000;
const TIMEOUT = 5_000;
/** The most keys in one set, used or not. */
const MAX_KEYS = 100;

type Algorithm = { readonly name: string; readonly importing: object; readonly verifying: object };

const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map([
  [
    "ES256",
    { name: "ES256", importing: { name: "ECDSA", namedCurve: "P-256" }, verifying: { name: "ECDSA", hash: "SHA-256" } },
  ],
  [
    "RS256",
    {
      name: "RS256",
      importing: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
      verifying: { name: "RSASSA-PKCS1-v1_5" },
    },
  ],
  ["EdDSA", { name: "EdDSA", importing: { name: "Ed25519" }, verifying: { name: "Ed25519" } }],
]);

export class Keys {
  readonly #url: string;
  readonly #server: Fetcher;
  readonly #now: () => number;
  #keys: ReadonlyMap<string, Key> = new Map();
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #triedAt = Number.NEGATIVE_INFINITY;

  constructor(url: string, server: Fetcher, now: () => number = Date.now) {
    this.#url = url;
    this.#server = server;
    this.#now = now;
  }

  /**
   * The key of this id, fetched if need be. A key that left the set is not found. Throws while
   * there never was a set.
   */
  async find(id: string): Promise<Key | undefined> {
    const now = this.#now();
    // A clock may also be set back.
    const isStale = Math.abs(now - this.#fetchedAt) > FRESH || !this.#keys.has(id);
    const isFirst = this.#fetchedAt === Number.NEGATIVE_INFINITY;
    if (isStale && (isFirst || Math.abs(now - this.#triedAt) >= SOONEST)) await this.#refresh(now);
    if (this.#fetchedAt === Number.NEGATIVE_INFINITY) throw new Error("no key is known yet");
    return this.#keys.get(id);
  }

  /** Whether a key is still the one of its id. */
  has(key: Key): boolean {
    return this.#keys.get(key.id) === key;
  }

  async #refresh(now: number): Promise<void> {
    this.#triedAt = now;
    try {
      const response = await this.#server.fetch(this.#url, { signal: AbortSignal.timeout(TIMEOUT) });
      if (!response.ok) throw new Error(`status ${response.status}`);
      const { keys } = (await response.json()) as { keys: readonly JsonWebKey[] };
      this.#keys = await readKeys(keys);
      this.#fetchedAt = now;
    } catch (error) {
      console.error(`the keys could not be fetched: ${error instanceof Error ? error.message : "unknown"}`);
    }
  }
}

async function readKeys(keys: readonly JsonWebKey[]): Promise<ReadonlyMap<string, Key>> {
  const objects = keys.filter((jwk) => typeof jwk === "object" && jwk !== null);
  const read = (await Promise.all(objects.slice(0, MAX_KEYS).map(readKey))).filter((key) => key !== undefined);
  const byId = new Map(read.map((key) => [key.id, key]));
  // Of two keys with one id it is ambiguous which of them is meant.
  return keys.length > MAX_KEYS || byId.size < read.length ? new Map() : byId;
}

/**
 * A key of a set; nothing for one that this worker cannot use, so that a new kind of key does no
 * harm to the others.
 */
async function readKey(jwk: JsonWebKey & { kid?: string }): Promise<Key | undefined> {
  const algorithm = algorithmOf(jwk);
  const operations: unknown = jwk.key_ops ?? ["verify"];
  const verifies = (jwk.use ?? "sig") === "sig" && Array.isArray(operations) && operations.includes("verify");
  if (!jwk.kid || !algorithm || !verifies || isWeak(jwk) || !isSpelt(jwk)) return undefined;
  const { kty, n, e, crv, x, y } = jwk;
  const material = Object.fromEntries(Object.entries({ kty, n, e, crv, x, y }).filter(([, value]) => value));
  try {
    const key = await crypto.subtle.importKey("jwk", material, algorithm.importing as never, false, ["verify"]);
    return {
      id: jwk.kid,
      algorithm: algorithm.name,
      verify: (signature, data) => crypto.subtle.verify(algorithm.verifying as never, key, signature, data),
    };
  } catch {
    return undefined;
  }
}

/**
 * Whether a key of RSA is weak: a modulus shorter than the 2,048 bits that RFC 7518 wants, zeros
 * before it left out, or an exponent that is even or 1.
 */
function isWeak({ kty, n, e }: JsonWebKey): boolean {
  if (kty !== "RSA") return false;
  const [modulus, exponent] = [numberOf(n), numberOf(e)];
  if (!modulus || !exponent) return true;
  const last = exponent.at(-1) ?? 0;
  return modulus.length < 256 || last % 2 === 0 || (exponent.length === 1 && last === 1);
}

/** The bytes of a number in base64url; nothing where it is none, or has zeros before it. */
function numberOf(text: unknown): number[] | undefined {
  if (typeof text !== "string" || !/^[A-Za-z0-9_-]+$/.test(text) || text.length % 4 === 1) return undefined;
  const bytes = [...atob(text.replaceAll("-", "+").replaceAll("_", "/"))].map((letter) => letter.charCodeAt(0));
  return bytes[0] === 0 ? undefined : bytes;
}

/** Whether the coordinates of a key are base64url: other readers refuse another spelling. */
function isSpelt({ x, y }: JsonWebKey): boolean {
  return [x, y].every((text) => text === undefined || /^[A-Za-z0-9_-]+$/.test(text));
}

/** The one algorithm that a key is for: what its kind says, which `alg` must not contradict. */
function algorithmOf({ kty, crv, alg }: JsonWebKey): Algorithm | undefined {
  const name = kty === "RSA" ? "RS256" : ({ "P-256": "ES256", Ed25519: "EdDSA" } as Record<string, string>)[crv ?? ""];
  return name === undefined || (alg ?? name) !== name ? undefined : ALGORITHMS.get(name);
}
