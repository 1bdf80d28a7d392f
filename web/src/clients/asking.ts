/**
 * How clients ask for tokens: with which scopes at first, and with which after a 401.
 *
 * Each way is that of a library, and several clients share it. Read in the libraries' sources, and
 * recorded: see `recorded.test.ts`. What is granted of it, and what a request needs, is not decided
 * here.
 */

import { readScopes } from "../engine";
import { scopeText } from "./scopes";

type Scopes = readonly string[];

/** What a client keeps between the requests of a session. */
export interface Memory {
  /** The tokens that it has, each by the scopes that it asked for. */
  readonly tokens: Set<string>;
  /** The scopes that it asks for by now, where it remembers them. */
  scopes: Scopes | null;
}

export interface Refusal {
  readonly method: string;
  /** What the refused token had been asked for with; null when there was none. */
  readonly sent: Scopes | null;
  readonly challenged: Scopes;
  /** What the client asks for in the whole session, and for this request. */
  readonly own: Scopes;
  readonly wanted: Scopes;
}

export interface Asking {
  /** Why there is no second request, for the reader. */
  readonly about: string;
  /** For the second try it uses a token that it has, if it has it. */
  readonly reuses?: true;
  /** The scopes of the token that a request goes out with; null for none. */
  before(wanted: Scopes, memory: Memory): Scopes | null;
  /** The scopes of the token for a second try; null when there is none. */
  after(refusal: Refusal, memory: Memory): Scopes | null;
}

export function emptyMemory(): Memory {
  return { tokens: new Set(), scopes: null };
}

export function key(scopes: Scopes): string {
  return scopes.join(" ");
}

/**
 * The docker engine and its library, and `az`: what it thinks that it needs, and nothing after
 * that.
 */
export const once: Asking = {
  about: "This client requests a fixed set of scopes and ignores later challenges.",
  before: (wanted) => wanted,
  after: () => null,
};

/**
 * containers/image, which skopeo, podman and buildah use: adds what one challenge names, unless it
 * had sent a body.
 */
export const addsTheChallenge: Asking = {
  about: "Retries with the scopes from the challenge, except on uploads or when the challenge has several scopes.",
  before: (wanted) => wanted,
  reuses: true,
  after: ({ method, own, challenged }) => {
    const isStreamed = method === "PUT" || method === "PATCH";
    return isStreamed || challenged.length !== 1 ? null : [...own, ...challenged];
  },
};

/**
 * go-containerregistry, which crane and Flux use: what the challenge says comes first, and stays.
 */
export const challengeFirst: Asking = {
  about: "Retries with the challenge's scopes first.",
  before: (wanted, memory) => memory.scopes ?? wanted,
  after: ({ challenged, wanted }, memory) => {
    const asked = memory.scopes ?? wanted;
    const added = challenged.join(" ");
    memory.scopes = asked.includes(added) ? asked : [added, ...asked];
    return memory.scopes;
  },
};

/**
 * oras-go, which oras and Helm use: waits for a challenge, and merges what it says with its own.
 */
export const mergesTheChallenge: Asking = {
  about: "Requests its own and the challenge's scopes together, once per request.",
  before: (wanted, memory) => {
    const scopes = merged(wanted);
    return memory.tokens.has(key(scopes)) ? scopes : null;
  },
  after: ({ wanted, challenged }) => merged([...wanted, ...challenged]),
};

/** containerd: waits for a challenge, and asks for what it says beside its own, unmerged. */
export const besideTheChallenge: Asking = {
  about: "Requests both sets of scopes and stops after a second refusal.",
  before: (wanted, memory) => (memory.scopes === null ? null : sorted([...wanted, ...memory.scopes])),
  after: ({ wanted, challenged }, memory) => {
    memory.scopes = challenged;
    return sorted([...wanted, ...challenged]);
  },
};

/** The Azure SDKs, and Renovate for tags: exactly what the challenge says. */
export const asChallenged: Asking = {
  about: "Requests exactly what the challenge asks for.",
  before: (_, memory) => memory.scopes,
  after: ({ challenged }, memory) => {
    memory.scopes = challenged;
    return challenged;
  },
};

/** One scope for each resource, with sorted actions, as oras-go's `CleanScopes` makes them. */
function merged(scopes: Scopes): string[] {
  const entries = readScopes(scopes.join(" ")).scopes;
  return entries.map((entry) => scopeText({ ...entry, actions: entry.actions.toSorted() })).toSorted();
}

function sorted(scopes: Scopes): string[] {
  return [...new Set(scopes)].toSorted();
}
