// What the token server publishes, read within bounds: one status, no redirect, a time, a size, and
// few reads at once.
//
// A redirect is not followed: it would take the credential of the feed, or the trust in the keys,
// to an address that is not configured.

import type { Fetcher } from "./settings.ts";

/** The longest answer, in bytes: the feed of a registry with 50,000 tokens has 5 MB. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Reads a whole answer. Throws for any but 200, and for a longer one. */
export async function read(server: Fetcher, url: string, headers: HeadersInit, timeout: number): Promise<Uint8Array> {
  const init: RequestInit = { headers, redirect: "manual", signal: AbortSignal.timeout(timeout) };
  const response = await server.fetch(url, init);
  if (response.status !== 200) throw new Error(`status ${response.status}`);
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of response.body ?? []) {
    length += piece.byteLength;
    if (length > MAX_BYTES) throw new Error(`longer than ${MAX_BYTES} bytes`);
    pieces.push(piece);
  }
  return joined(pieces, length);
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}

/**
 * Which reads are under way. A request in a Worker cannot wait for the read of another, and one
 * that is cancelled takes its read with it: so several may read at once, and a read counts until
 * its time is over.
 */
export class Reads {
  readonly #most: number;
  readonly #timeout: number;
  readonly #begun = new Map<number, number>();
  /** How many have begun since none was under way. */
  #joined = 0;
  #number = 0;
  #lastAt = Number.NEGATIVE_INFINITY;

  constructor(most: number, timeout: number) {
    this.#most = most;
    this.#timeout = timeout;
  }

  /** Whether one may begin: beside few others, or at the soonest so long after the last one. */
  mayBegin(now: number, soonest: number): boolean {
    for (const [number, begunAt] of this.#begun) {
      // A clock may also be set back.
      if (Math.abs(now - begunAt) > this.#timeout) this.#begun.delete(number);
    }
    return this.#begun.size > 0 ? this.#joined < this.#most : Math.abs(now - this.#lastAt) >= soonest;
  }

  /** Begins one; its number ends it. */
  begin(now: number): number {
    this.#joined = this.#begun.size > 0 ? this.#joined + 1 : 1;
    this.#lastAt = now;
    this.#begun.set(++this.#number, now);
    return this.#number;
  }

  end(number: number): void {
    this.#begun.delete(number);
  }
}
