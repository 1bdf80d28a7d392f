// Tokens that are not good any more, although their time has not come: the server's list of
// generations. What an answer changes, and which tokens are revoked, is the engine's to say.
//
// The requests themselves fetch the list, in the background while it is at most two seconds old. A
// request waits for the fetch when the list is older; when there is no answer, the old list is good
// for as long as the settings say.

import type { Engine, KnownRevocations } from "./engine.ts";
import { Reads, read } from "./read.ts";
import type { Feed, Fetcher } from "./settings.ts";
import type { Token } from "./token.ts";

/**
 * Version 2 of the list, in which identities are told apart by their provider; a server of the
 * release before answers with version 1.
 */
const MEDIA_TYPE = "application/vnd.scopegate.generations.v2+json";

/** In milliseconds. */
const FRESH = 1000;
const PROMISED = 2000;
const TIMEOUT = 1000;
const POLL_INTERVAL = 20;
/** How many requests fetch the list at once. The others wait until one of these has it. */
const MAX_AT_ONCE = 2;

export class Revocations {
  readonly #feed: Feed;
  readonly #server: Fetcher;
  readonly #now: () => number;
  readonly #engine: Engine;
  readonly #onEpoch: () => void;
  /** What is known, in the memory of an instance of the module. */
  #known: KnownRevocations;
  /** What the engine said of tokens since the last answer: it takes 10 µs to read one again. */
  #verdicts = new WeakMap<Token, boolean>();
  /** How often the feed was asked, and which of those was answered last. */
  #asked = 0;
  #answered = 0;
  readonly #reads = new Reads(MAX_AT_ONCE, TIMEOUT);
  #readAt = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;

  /** `onEpoch` is called when an epoch was left. */
  constructor(
    feed: Feed,
    server: Fetcher,
    engine: Engine,
    now: () => number = Date.now,
    onEpoch: () => void = () => undefined,
  ) {
    this.#feed = feed;
    this.#server = server;
    this.#engine = engine;
    this.#known = engine.newRevocations();
    this.#now = now;
    this.#onEpoch = onEpoch;
  }

  /** Whether a token was revoked. Throws when nothing recent enough is known. */
  async revoked(token: Token, behind: (work: Promise<void>) => void): Promise<boolean> {
    this.#renew();
    const age = this.#since(this.#readAt);
    if (age > PROMISED) await this.#refreshOrWait();
    else if (age > FRESH && this.#since(this.#askedAt) > FRESH) behind(this.#refresh());
    if (this.#since(this.#readAt) > this.#feed.maxAge) throw new Error("the list of generations is too old");
    const isRevoked = this.#verdicts.get(token) ?? this.#engine.isRevoked(this.#known, token.payload);
    this.#verdicts.set(token, isRevoked);
    return isRevoked;
  }

  async #refreshOrWait(): Promise<void> {
    if (this.#reads.mayBegin(this.#now(), 0)) return this.#refresh();
    for (let waited = 0; waited < TIMEOUT && this.#since(this.#readAt) > PROMISED; waited += POLL_INTERVAL) {
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL));
    }
  }

  /** An instance that ended in a trap took with it what was known: the list is read whole again. */
  #renew(): void {
    if (this.#engine.holds(this.#known)) return;
    this.#known = this.#engine.newRevocations();
    this.#verdicts = new WeakMap();
    this.#readAt = Number.NEGATIVE_INFINITY;
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
    const reading = this.#reads.begin(askedAt);
    this.#askedAt = askedAt;
    try {
      const url = new URL(this.#feed.url);
      url.searchParams.set("since", String(this.#known.revision));
      const headers = { accept: MEDIA_TYPE, authorization: this.#feed.authorization };
      const update = await read(this.#server, url.href, headers, TIMEOUT);
      // Answers may overtake each other: what was asked before the last one says nothing new. A
      // clock would not tell, because it may be set back.
      if (fetchNumber < this.#answered) return;
      this.#renew();
      this.#verdicts = new WeakMap();
      const { epoch } = this.#known;
      const outcome = this.#engine.ingest(this.#known, update);
      if (epoch !== "" && epoch !== this.#known.epoch) this.#onEpoch();
      if (outcome !== "taken") throw new Error(outcome);
      [this.#answered, this.#readAt] = [fetchNumber, askedAt];
    } catch (error) {
      console.error(`the generations could not be fetched: ${error instanceof Error ? error.message : "unknown"}`);
    } finally {
      this.#reads.end(reading);
    }
  }
}
