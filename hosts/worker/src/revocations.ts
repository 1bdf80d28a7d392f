// Tokens that are not good any more, although their time has not come: the server's list of
// generations.
//
// The requests themselves fetch the list, in the background while it is at most two seconds old. A
// request waits for the fetch when the list is older; when there is no answer, the old list is good
// for as long as the settings say.

import type { Feed, Fetcher } from "./settings.ts";
import type { Token } from "./token.ts";

interface Generations {
  readonly revision: number;
  readonly isEverything: boolean;
  readonly version?: number;
  readonly epoch?: string;
  readonly changed: readonly { principal: string; provider?: string; sub: string | null; generation: number }[];
}

/**
 * Version 2 of the list, in which identities are told apart by their provider; a server of the
 * release before answers with version 1.
 */
const MEDIA_TYPE = "application/vnd.scopegate.generations.v2+json";

/** In milliseconds. */
const FRESH = 1000;
const PROMISED = 2000;
const TIMEOUT = 1000;

export class Revocations {
  readonly #feed: Feed;
  readonly #server: Fetcher;
  readonly #now: () => number;
  #oldest = new Map<string, number>();
  #revision = 0;
  #version = 0;
  #epoch: string | undefined;
  /** The epochs before this one, as long as this instance lives. None of them is taken again. */
  readonly #left = new Set<string>();
  /** How often the feed was asked, and which of those was answered last. */
  #asked = 0;
  #answered = 0;
  #readAt = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(feed: Feed, server: Fetcher, now: () => number = Date.now) {
    this.#feed = feed;
    this.#server = server;
    this.#now = now;
  }

  /** Whether a token was revoked. Throws when nothing recent enough is known. */
  async revoked(token: Token, behind: (work: Promise<void>) => void): Promise<boolean> {
    const age = this.#since(this.#readAt);
    if (age > PROMISED) await this.#refresh();
    else if (age > FRESH && this.#since(this.#askedAt) > FRESH) behind(this.#refresh());
    if (this.#since(this.#readAt) > this.#feed.maxAge) throw new Error("the list of generations is too old");
    const { principal, sub, generation } = token;
    const provider = principal === "identity" ? token.provider : undefined;
    // What says neither for whom it is nor of which generation could not be revoked.
    if (principal === undefined || generation === undefined) return true;
    if (principal === "identity" && provider === undefined && this.#version >= 2) return true;
    if (this.#epoch !== undefined && this.#epoch !== token.epoch) return true;
    const keys = [keyOf(principal, provider, sub), keyOf(principal, provider, null), keyOf(principal, undefined, null)];
    return keys.some((key) => generation < (this.#oldest.get(key) ?? 0));
  }

  /**
   * How long ago a time was. A clock that was set back makes the list as old as one that was set
   * forward.
   */
  #since(time: number): number {
    return Math.abs(this.#now() - time);
  }

  async #refresh(): Promise<void> {
    const [fetchNumber, askedAt] = [++this.#asked, this.#now()];
    this.#askedAt = askedAt;
    try {
      const url = new URL(this.#feed.url);
      url.searchParams.set("since", String(this.#revision));
      const headers = { accept: MEDIA_TYPE, authorization: this.#feed.authorization };
      const response = await this.#server.fetch(url.href, { headers, signal: AbortSignal.timeout(TIMEOUT) });
      if (!response.ok) throw new Error(`status ${response.status}`);
      const update = (await response.json()) as Generations;
      // Answers may overtake each other: what was asked before the last one says nothing new. A
      // clock would not tell, because it may be set back.
      if (fetchNumber < this.#answered) return;
      if (!this.#take(update)) throw new Error("the list is of an epoch that was left, or has to be read whole");
      [this.#answered, this.#readAt] = [fetchNumber, askedAt];
    } catch (error) {
      console.error(`the generations could not be fetched: ${error instanceof Error ? error.message : "unknown"}`);
    }
  }

  /**
   * Takes an answer; tells whether it may be decided by. As `Revocations::ingest` of
   * crates/scopegate-edge.
   */
  #take({ version = 1, epoch, revision, isEverything, changed }: Generations): boolean {
    const isSame = version === this.#version && epoch === this.#epoch;
    // After an answer with an epoch, an answer without one is refused: a server of the release
    // before cannot follow epochs.
    if (epoch === undefined ? this.#epoch !== undefined : this.#left.has(epoch)) return false;
    if (epoch !== undefined && isSame && revision < this.#revision) return false;
    if (!isSame && !isEverything) {
      this.#revision = 0;
      return false;
    }
    if (isEverything) {
      if (!isSame && this.#epoch !== undefined) this.#left.add(this.#epoch);
      [this.#oldest, this.#version, this.#epoch] = [new Map(), version, epoch];
    }
    for (const { principal, provider, sub, generation } of changed) {
      const key = keyOf(principal, provider, sub);
      this.#oldest.set(key, Math.max(generation, this.#oldest.get(key) ?? 0));
    }
    this.#revision = revision;
    return true;
  }
}

function keyOf(principal: string, provider: string | undefined, sub: string | null): string {
  return JSON.stringify([principal, provider ?? null, typeof sub === "string" ? lowerCase(sub) : null]);
}

// Of A to Z alone, as in every other host: `toLowerCase` makes a `k` of the Kelvin sign too, and
// two names would be one.
function lowerCase(name: string): string {
  return name.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
