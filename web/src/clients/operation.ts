/**
 * What a client does, as data: sessions of HTTP requests, and the words that a person reads
 * afterwards.
 *
 * Texts hold placeholders: `{registry}`, `{repository}` and, for a path, `{escaped}`, `{source}`,
 * `{tag}`, and what an example image is made of. Which scopes a request needs is not written here:
 * the engine says so.
 */

import type { Profile } from "../engine";
import type { Asking } from "./asking";
import { mentions } from "./placeholder";

/** What a person has to name before an operation can be simulated. */
export type Need = "repository" | "source" | "tag";

export interface Operation {
  /** The client and the operation, as in `docker-push`. */
  readonly id: string;
  readonly client: string;
  /** What one types, as in `docker push`. */
  readonly name: string;
  readonly about: string;
  readonly needs: readonly Need[];
  /** The registries that have what it calls. */
  readonly profiles: readonly Profile[];
  readonly sessions: readonly Session[];
  /**
   * What the person reads when all went well, and when a request was refused that does not say
   * something else.
   */
  readonly prints: string;
  readonly says: string;
  /** What the person reads of a registry that does not have what it calls. */
  readonly absent: string;
}

/** Requests that share tokens. */
export interface Session {
  readonly asking: Asking;
  /** The scopes that the client asks for by itself. */
  readonly asks: readonly string[];
  /** The same, where the client knows the registry and asks for something else there. */
  readonly asksOf?: Partial<Record<Profile, readonly string[]>>;
  /** Sessions of the same name share their tokens, though something else happens between them. */
  readonly shares?: string;
  readonly requests: readonly Request[];
}

export interface Request {
  readonly method: string;
  readonly target: string;
  readonly purpose: string;
  /** It is sent without a token, to be challenged. */
  readonly anonymous?: true;
  /** The scopes that the client asks for by itself here, instead of its session's. */
  readonly asks?: readonly string[];
  /** The client goes on when this is refused; the text says how. */
  readonly goesOn?: string;
  /** It is sent only when the last request that might be refused was refused, or was not. */
  readonly when?: "refused" | "passed";
  /** What the person reads when this is refused. */
  readonly says?: string;
}

type Written = Omit<Operation, "client" | "needs" | "profiles" | "says" | "absent" | "sessions"> & {
  readonly profiles?: readonly Profile[];
  readonly says?: string;
  readonly sessions: readonly (Omit<Session, "asking"> & { readonly asking?: Asking })[];
};

/** What the operations of a client have in common. */
interface Common {
  readonly asking: Asking;
  readonly says: string;
  readonly absent?: string;
}

/** The operations of one client, with what they have in common. */
export function client(name: string, common: Common, written: readonly Written[]): Operation[] {
  return written.map((operation) => ({
    ...operation,
    id: `${name}-${operation.id}`,
    client: name,
    needs: needsOf(operation),
    profiles: operation.profiles ?? ["acr", "distribution"],
    says: operation.says ?? common.says,
    absent: common.absent ?? "",
    sessions: operation.sessions.map((session) => ({ asking: common.asking, ...session })),
  }));
}

/** What the requests mention is what they need. */
function needsOf(operation: Written): Need[] {
  const targets = operation.sessions.flatMap((session) => session.requests.map((request) => request.target)).join(" ");
  const needs: readonly Need[] = ["repository", "source", "tag"];
  return needs.filter((need) => mentions(targets, need) || (need === "repository" && mentions(targets, "escaped")));
}
