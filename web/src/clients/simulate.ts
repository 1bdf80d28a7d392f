/**
 * What happens when a client does something: every request on the wire, what is asked for, granted
 * and missing, and where it ends.
 *
 * The client's part is data. The registry's and the token server's part is the engine's: which
 * scopes a request needs, the challenge, what is granted, whether a token is enough. There is no
 * rule of any of these here.
 */

import { type AccessEntry, type Principal, type Profile, route, verify, writeChallenge } from "../engine";
import { emptyMemory, key, type Memory } from "./asking";
import type { Operation, Request, Session } from "./operation";
import { fill, fillTarget, image, type Words } from "./placeholder";
import { mergeScopes, scopeText } from "./scopes";
import { refusalText } from "./terminal";

export interface Target {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  /** Where a copy or a mount comes from; without one, the repository itself. */
  readonly source?: string | undefined;
}

/** One request on the wire. */
export interface Step {
  readonly method: string;
  readonly target: string;
  readonly purpose: string;
  readonly required: string[];
  /** What the token endpoint was asked for just before; null when no new token was needed. */
  readonly asked: string[] | null;
  /** What the token holds that the request carries. */
  readonly granted: AccessEntry[];
  /** The `WWW-Authenticate` of the answer, when it is a 401. */
  readonly challenge: string | null;
  readonly missing: string[];
  /** `challenged` is a 401 that the client expects, or answers with another token. */
  readonly outcome: "passes" | "challenged" | "falls-back" | "fails" | "not-reached";
  readonly note: string | null;
}

export interface Simulation {
  readonly operation: Operation;
  readonly profile: Profile;
  readonly steps: Step[];
  readonly outcome: "works" | "works-partly" | "fails";
  /** The step that ends it. */
  readonly failsAt: number | null;
  /** What the person reads. */
  readonly terminal: string;
  /** All that the operation needs, one scope for each resource: what to explain and to grant. */
  readonly needs: string[];
}

/** What a walk through the requests carries along. */
interface Walk {
  readonly operation: Operation;
  readonly words: Words;
  readonly principal: Principal;
  readonly profile: Profile;
  readonly steps: Step[];
  readonly memories: Map<string, Memory>;
  /** How the last request went that might be refused. */
  branch: Request["when"];
  refused: Request | null;
}

/**
 * The engine's errors come through for invalid names: the caller has read the target
 * first.
 */
export function simulate(operation: Operation, target: Target, principal: Principal, profile: Profile): Simulation {
  const { repository, source = repository } = target;
  const words = { ...image, ...target, source, escaped: encodeURIComponent(repository), parent: parentOf(target) };
  const walk: Walk = {
    operation,
    words,
    principal,
    profile,
    steps: [],
    memories: new Map(),
    branch: undefined,
    refused: null,
  };
  for (const session of operation.sessions) walkSession(walk, session);
  const failsAt = walk.steps.findIndex((step) => step.outcome === "fails");
  const fellBack = walk.steps.some((step) => step.outcome === "falls-back");
  const requests = operation.sessions.flatMap((session) => session.requests);
  return {
    operation,
    profile,
    steps: walk.steps,
    outcome: failsAt >= 0 ? "fails" : fellBack ? "works-partly" : "works",
    failsAt: failsAt >= 0 ? failsAt : null,
    terminal: terminal(walk, walk.steps[failsAt]),
    needs: mergeScopes(requests.flatMap((request) => required(walk, request))),
  };
}

function terminal({ operation, profile, words, refused }: Walk, failure: Step | undefined): string {
  if (failure === undefined) return fill(operation.prints, words);
  if (failure.missing.length === 0) return fill(operation.absent, words);
  return refusalText(refused?.says ?? operation.says, failure, words, profile);
}

/**
 * Where the repository is, as Helm writes it: the registry with all but the last part of the name.
 */
function parentOf({ registry, repository }: Target): string {
  const whole = `${registry}/${repository}`;
  return whole.slice(0, whole.lastIndexOf("/"));
}

function walkSession(walk: Walk, session: Session): void {
  const memory = (session.shares !== undefined && walk.memories.get(session.shares)) || emptyMemory();
  if (session.shares !== undefined) walk.memories.set(session.shares, memory);
  for (const request of session.requests) {
    if (request.when !== undefined && request.when !== walk.branch) continue;
    walk.steps.push(...(walk.refused === null ? send(walk, session, request, memory) : [notReached(walk, request)]));
    const passed = walk.steps.at(-1)?.outcome === "passes";
    if (request.goesOn !== undefined) walk.branch = passed ? "passed" : "refused";
    if (walk.steps.at(-1)?.outcome === "fails") walk.refused = request;
  }
}

/** One request, and the same with another token where the client tries again. */
function send(walk: Walk, session: Session, request: Request, memory: Memory): Step[] {
  if (request.anonymous) return [attempt(walk, request, null, null)];
  if (!walk.operation.profiles.includes(walk.profile)) return [absent(walk, request)];
  const own = (session.asksOf?.[walk.profile] ?? session.asks).map((scope) => fill(scope, walk.words));
  const wanted = request.asks?.map((scope) => fill(scope, walk.words)) ?? own;
  const sent = session.asking.before(wanted, memory);
  const first = attempt(walk, request, sent, newToken(memory, sent));
  if (first.outcome === "passes") return [first];
  const refusal = { method: request.method, sent, challenged: first.required, own, wanted };
  const again = session.asking.after(refusal, memory);
  if (again === null) return [ended(first, request, session)];
  const asked = newToken(memory, again);
  const second = attempt(walk, request, again, session.asking.reuses ? asked : again);
  return [first, second.outcome === "passes" ? second : ended(second, request, session)];
}

/** The scopes to ask for, when there is no token yet that was asked for with them. */
function newToken(memory: Memory, scopes: readonly string[] | null): readonly string[] | null {
  if (scopes === null || memory.tokens.has(key(scopes))) return null;
  memory.tokens.add(key(scopes));
  return scopes;
}

function attempt(
  walk: Walk,
  request: Request,
  carried: readonly string[] | null,
  asked: readonly string[] | null,
): Step {
  const granted = carried === null ? [] : walk.principal.claims(carried.join(" ")).access;
  const needed = required(walk, request);
  const missing = verify(granted.map(scopeText), needed, walk.profile);
  const passes = carried !== null && missing.length === 0;
  return {
    ...written(walk, request),
    required: needed,
    asked: asked === null ? null : [...asked],
    granted,
    challenge: passes ? null : challenge(walk, needed, carried === null ? undefined : "insufficient_scope"),
    missing,
    outcome: passes ? "passes" : "challenged",
    note: null,
  };
}

/** A refused request after which there is no other try. */
function ended(step: Step, request: Request, session: Session): Step {
  const goesOn = request.goesOn !== undefined;
  return { ...step, outcome: goesOn ? "falls-back" : "fails", note: request.goesOn ?? session.asking.about };
}

/** A request that this registry answers with 404, whatever the token holds. */
function absent(walk: Walk, request: Request): Step {
  return { ...notReached(walk, request), outcome: "fails", note: "This registry doesn't support this path (404)." };
}

function notReached(walk: Walk, request: Request): Step {
  const nothing = { asked: null, granted: [], challenge: null, missing: [], note: null };
  return { ...written(walk, request), required: required(walk, request), ...nothing, outcome: "not-reached" };
}

function written(walk: Walk, request: Request): Pick<Step, "method" | "target" | "purpose"> {
  return { method: request.method, target: fillTarget(request.target, walk.words), purpose: request.purpose };
}

function required(walk: Walk, request: Request): string[] {
  return route(request.method, fillTarget(request.target, walk.words), walk.profile).scopes;
}

function challenge(walk: Walk, scopes: string[], error: "insufficient_scope" | undefined): string {
  const { registry = "" } = walk.words;
  return writeChallenge(`https://${registry}/oauth2/token`, registry, scopes, error);
}
