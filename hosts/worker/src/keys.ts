// The keys that tokens are signed with: a JWKS, RFC 7517, kept for a while.
//
// Which keys of a set verify, and with which algorithm, is the engine's to say. A set that cannot
// be fetched or read leaves the last one in place; in one with more than a hundred keys, or with
// two of one id, there is none.

import type { Engine, PublishedKey } from "./engine.ts";
import { Reads, read } from "./read.ts";
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
const SOONEST = 1_000;
const TIMEOUT = 5_000;
/**
 * How many requests fetch at once: those that come while another fetches would be refused for a key
 * that is about to be known, and one request cannot wait for the fetch of another in a Worker.
 */
const MAX_AT_ONCE = 8;
type Algorithm = { readonly importing: object; readonly verifying: object };

const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map([
  ["ES256", { importing: { name: "ECDSA", namedCurve: "P-256" }, verifying: { name: "ECDSA", hash: "SHA-256" } }],
  [
    "RS256",
    {
      importing: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
      verifying: { name: "RSASSA-PKCS1-v1_5" },
    },
  ],
  ["EdDSA", { importing: { name: "Ed25519" }, verifying: { name: "Ed25519" } }],
]);

export class Keys {
  readonly #url: string;
  readonly #server: Fetcher;
  readonly #engine: Engine;
  readonly #now: () => number;
  #keys: ReadonlyMap<string, Key> = new Map();
  #fetchedAt = Number.NEGATIVE_INFINITY;
  readonly #reads = new Reads(MAX_AT_ONCE, TIMEOUT);
  /** How often the set was asked for, and which of those was answered last. */
  #asked = 0;
  #answered = 0;

  constructor(url: string, server: Fetcher, engine: Engine, now: () => number = Date.now) {
    this.#url = url;
    this.#server = server;
    this.#engine = engine;
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
    if (isStale && this.#reads.mayBegin(now, isFirst ? 0 : SOONEST)) await this.#refresh(now);
    if (this.#fetchedAt === Number.NEGATIVE_INFINITY) throw new Error("no key is known yet");
    return this.#keys.get(id);
  }

  /** Whether a key is still the one of its id. */
  has(key: Key): boolean {
    return this.#keys.get(key.id) === key;
  }

  /**
   * Lets go of every key: those of another epoch may be others. Until there is a set again, nothing
   * is verified.
   */
  renew(): void {
    this.#keys = new Map();
    this.#fetchedAt = Number.NEGATIVE_INFINITY;
  }

  async #refresh(now: number): Promise<void> {
    const [fetchNumber, reading] = [++this.#asked, this.#reads.begin(now)];
    try {
      const set = this.#engine.verifyingKeys(await read(this.#server, this.#url, {}, TIMEOUT));
      if (set.kind === "unreadable") throw new Error("not a JSON Web Key Set");
      if (set.kind === "none") console.error(`no key verifies: ${set.reason}`);
      const keys = await importKeys(set.kind === "keys" ? set.keys : []);
      // Answers may overtake each other.
      if (fetchNumber < this.#answered) return;
      [this.#keys, this.#fetchedAt, this.#answered] = [keys, now, fetchNumber];
    } catch (error) {
      console.error(`the keys could not be fetched: ${error instanceof Error ? error.message : "unknown"}`);
    } finally {
      this.#reads.end(reading);
    }
  }
}

async function importKeys(published: readonly PublishedKey[]): Promise<ReadonlyMap<string, Key>> {
  const keys = (await Promise.all(published.map(importKey))).filter((key) => key !== undefined);
  return new Map(keys.map((key) => [key.id, key]));
}

/** A key that was chosen; nothing where its numbers are no key to the platform. */
async function importKey({ kid, alg, ...material }: PublishedKey): Promise<Key | undefined> {
  const algorithm = ALGORITHMS.get(alg);
  if (!algorithm) return undefined;
  try {
    const key = await crypto.subtle.importKey("jwk", material, algorithm.importing as never, false, ["verify"]);
    return {
      id: kid,
      algorithm: alg,
      verify: (signature, data) => crypto.subtle.verify(algorithm.verifying as never, key, signature, data),
    };
  } catch {
    return undefined;
  }
}
