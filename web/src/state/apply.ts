/**
 * What one change of a part makes of the page.
 */

import { changedByCommand, withSystemMap } from "./change";
import { hostAsked } from "./model";
import {
  type ApplyOptions,
  applyWith,
  type Handlers,
  type PageModel,
  type PageState,
  withModel,
  withToken,
} from "./page-state";
import { asking, type Change } from "./pasted-changes";
import { isNameOf, labelOf } from "./registry";
import { isKnown, isSameToken, NOTHING_KNOWN, stateOf } from "./token";

export const partHandlers: Handlers<Change> = {
  registry: (state, { label }) => fillRegistry(state, label),
  ask: (state, { question }) => withModel(state, { question }),
  report: (state, { reported }) => withModel(state, { reported }),
  repositories: (state, { names }) => addRepositories(state, names),
  panel: (state, { panel }) => withModel(state, { panel }),
  login: (state, { name }) => applyLogin(state, name),
  jwt: (state, { token }) => withModel(state, { held: token, whose: "token", panel: "token" }),
  token: (state, { token }, { now }) => applyToken(state, token, now),
  passwords: (state, { passwords }, { now }) => applyPasswords(state, passwords, now),
  "map-command": (state, command, { now }) => changedByCommand(state, command, now),
  assertions: (state, { file }) => applyAssertions(state, file),
  copy: (state, { source, target, pull, push }, options) =>
    applyAll(state, readsHere(state.model, source, target) ? pull : push, options),
  error: (state, { repository, ofCommand, alone }, options) =>
    applyAll(state, isOfCommand(state.model, repository) ? ofCommand : alone, options),
  refusal: (state, { required }, options) => applyAll(state, refusalOf(state.model, required), options),
};

function applyAll(state: PageState, changes: Change[], options: ApplyOptions): PageState {
  return changes.reduce((before, change) => applyWith(partHandlers, before, change, options), state);
}

export function addRepositories(state: PageState, names: string[]): PageState {
  const { repositories } = state.model;
  const added = names.filter((name) => !repositories.includes(name));
  return added.length === 0 ? state : withModel(state, { repositories: [...repositories, ...new Set(added)] });
}

/** The map is of the registry that is named, where it does not say itself which it is of. */
function fillRegistry(state: PageState, label: string): PageState {
  const [map, ...others] = state.model.maps;
  if (map?.registry !== "" || label === "") return state;
  return withModel(state, { maps: [{ ...map, registry: label }, ...others] });
}

/** Nothing is known of another token than the one of which something was said. */
function applyLogin(state: PageState, name: string): PageState {
  const { token } = state.model;
  const isSame = token.name.toLowerCase() === name.toLowerCase();
  return withToken(state, { ...(isSame ? {} : NOTHING_KNOWN), name });
}

function applyToken(state: PageState, found: Extract<Change, { kind: "token" }>["token"], now: number): PageState {
  const { token } = state.model;
  const registry = found.registry ?? "";
  const isKnownToken = found.isInPart && found.name !== null && isSameToken(token, found.name, registry);
  const before = isKnownToken ? token : null;
  const facts = {
    status: found.status ?? before?.facts?.status ?? "enabled",
    passwords: found.passwords?.map(({ name, expiry }) => ({ name, expiry })) ?? before?.facts?.passwords ?? null,
    ...(found.hasUnknownMap ? { hasUnknownMap: true } : {}),
  };
  const scopeMap = found.scopeMap ?? before?.scopeMap ?? "";
  const name = found.name || token.name;
  const after = withToken(state, { name, state: stateOf(facts, now), facts, scopeMap, registry });
  return withSystemMap(fillRegistry(after, labelOf(registry)), scopeMap);
}

/**
 * Passwords apart from their token are those of the token on the page, if they name no other.
 */
function applyPasswords(
  state: PageState,
  { token: name, passwords }: Extract<Change, { kind: "passwords" }>["passwords"],
  now: number,
): PageState {
  const { token } = state.model;
  if (name !== null && isKnown(token) && !isSameToken(token, name, "")) return state;
  const facts = { status: token.facts?.status ?? "enabled", passwords };
  return withToken(state, { name: name ?? token.name, state: stateOf(facts, now), facts });
}

function applyAssertions(
  state: PageState,
  { assertions, catalog }: Extract<Change, { kind: "assertions" }>["file"],
): PageState {
  return withModel(state, { assertions, catalog, panel: "tests" });
}

/** Whether a copy reads from the registry of the maps, and does not write to it. */
function readsHere({ maps }: PageModel, source: string, target: string): boolean {
  const isHere = (label: string) => maps.some(({ registry }) => isNameOf(registry, label));
  return isHere(source) && !isHere(target);
}

/** The command that failed says more than what it printed. */
function isOfCommand({ question }: PageModel, repository: string | null): boolean {
  if (question.kind !== "operation" || question.target.repository === "") return false;
  return repository === null || repository === question.target.repository;
}

/**
 * A body alone does not say of which registry it is; the challenge or the command before it may
 * have.
 */
function refusalOf({ question }: PageModel, required: string): Change[] {
  const repository = question.kind === "operation" ? question.target.repository : null;
  const report: Change = { kind: "report", reported: { meaning: "unknown", repository, asked: required } };
  // The command that failed says more than the answer that it got.
  const isCommand = question.kind === "operation" && repository !== "";
  return isCommand ? [report] : [report, ...asking(required, hostAsked(question))];
}
