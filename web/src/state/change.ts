/**
 * What commands do to the token and the scope maps of the page: make, change, take away.
 *
 * A command that its client refuses leaves open what is so now, and one that failed has done
 * nothing.
 */

import type { Change, FoundCommand } from "../recognise";
import { applicable } from "./applicable";
import { blankMap, type ScopeMapDraft, type TokenFacts } from "./model";
import { type PageState, withMaps, withToken } from "./page-state";
import { isNameOf } from "./registry";
import { systemMap } from "./system";
import { changed, isKnown, isSameToken, NOTHING_KNOWN, stateOf } from "./token";

export interface MapCommand {
  change: Change;
  registry: string;
  outcome: FoundCommand["outcome"];
}

/**
 * A command that makes a map says what is in it; one that changes a map adds to the one of that
 * name.
 */
export function changedByCommand(state: PageState, command: MapCommand, now: number): PageState {
  const { change, outcome } = command;
  if (outcome === "failed") return state;
  if (change.does === "deletes") {
    return change.token === null ? withoutMap(state, command) : withoutToken(state, change.token, command);
  }
  const ofToken = change.token === null ? state : changedToken(state, change.token, command, now);
  return changedMap(change.scopeMap ? withSystemMap(ofToken, change.scopeMap) : ofToken, command);
}

const FACTS: TokenFacts = { status: "enabled", passwords: null };

function changedToken(state: PageState, name: string, command: MapCommand, now: number): PageState {
  const { change, registry, outcome } = command;
  const { token } = state.model;
  const isNew = change.does === "creates" || !isSameToken(token, name, registry);
  const before = isNew ? FACTS : (token.facts ?? FACTS);
  const status = outcome === "refused" ? "unknown" : (change.status ?? before.status);
  const passwords = change.passwords
    ? changed(isNew && change.does === "creates" ? [] : before.passwords, change.passwords)
    : before.passwords;
  const hasUnknownMap = change.scopeMap === null && before.hasUnknownMap;
  const facts = { status, passwords, ...(hasUnknownMap ? { hasUnknownMap } : {}) };
  const scopeMap = change.scopeMap ?? (isNew ? "" : token.scopeMap);
  const keepsState = !isNew && token.facts === undefined && change.status === null && change.passwords === null;
  const stateAfter = keepsState && outcome === null ? token.state : stateOf(facts, now);
  return withToken(state, { name, registry, scopeMap, state: stateAfter, facts });
}

function changedMap(state: PageState, { change, registry, outcome }: MapCommand): PageState {
  const { token, scopeMap, actions, removed, open } = change;
  const { maps } = state.model;
  const creates = change.does === "creates";
  if (outcome === "refused") {
    // What was in the refused option is not known.
    return token === null ? withUncertainMap(state, scopeMap ?? "", registry) : state;
  }
  if (actions.length === 0 && removed.length === 0 && open === null && (token !== null || !creates)) return state;
  const index = (creates ? indexToMake : indexOf)(maps, scopeMap ?? "", registry);
  const before = maps[index];
  const { registry: ofMap = "", ...map } = before ?? blankMap();
  const kept = creates ? [] : map.actions.filter((action) => !removed.includes(action));
  const added = actions.filter((action) => !kept.includes(action));
  const after = {
    ...map,
    registry: ofMap || registry,
    name: scopeMap ?? map.name,
    actions: [...kept, ...added],
    known: knownAfter(creates ? undefined : (before ?? UNSEEN), creates, open),
  };
  return withMaps(state, maps.toSpliced(index, 1, after));
}

/** Replaces the map of the same name. */
export function withPrintedMap(state: PageState, map: ScopeMapDraft): PageState {
  if (map.name === "") return state;
  const { maps } = state.model;
  const index = indexToMake(maps, map.name, map.registry);
  const registry = map.registry || (maps[index]?.registry ?? "");
  return withMaps(state, maps.toSpliced(index, 1, { ...map, registry }));
}

function withUncertainMap(state: PageState, name: string, registry: string): PageState {
  const { maps } = state.model;
  const index = indexOf(maps, name, registry);
  const map = maps[index];
  return map && isNamed(map) ? withMaps(state, maps.with(index, { ...map, known: "not" })) : state;
}

/** A map that is changed and not on the page has unseen rules. */
const UNSEEN: ScopeMapDraft = { ...blankMap(), known: "partly" };

function knownAfter(before: ScopeMapDraft | undefined, creates: boolean, open: Change["open"]): ScopeMapDraft["known"] {
  const isUnseen = before !== undefined && !creates && !isNamed(before);
  const known = before?.known ?? (isUnseen ? "partly" : undefined);
  if (open === "any" || known === "not") return "not";
  return open === "more" ? "partly" : known;
}

function isNamed({ name, actions }: ScopeMapDraft): boolean {
  return name !== "" || actions.length > 0;
}

function withoutMap(state: PageState, { change, registry, outcome }: MapCommand): PageState {
  const { maps } = state.model;
  // The value of a variable may be the one.
  const isOpen = outcome === "refused" || isPlaceholder(change.scopeMap ?? "");
  const isGone = ({ name, registry: ofMap }: ScopeMapDraft) => {
    const isHere = ofMap === "" || registry === "" || isNameOf(ofMap, registry);
    // A map without a name may be the one.
    const wanted = change.scopeMap?.toLowerCase() ?? null;
    return isHere && (wanted === null || name === "" || name.toLowerCase() === wanted || isPlaceholder(wanted));
  };
  if (!maps.some((map) => isGone(map) && isNamed(map))) return state;
  const uncertain = maps.map((map) => (isGone(map) ? { ...map, known: "not" as const } : map));
  return withMaps(state, isOpen ? uncertain : maps.filter((map) => !isGone(map)));
}

function withoutToken(state: PageState, name: string, { registry, outcome }: MapCommand): PageState {
  const { token } = state.model;
  const isOther = token.name !== name;
  if (isPlaceholder(name) && isOther) {
    return token.state === "disabled" ? state : withToken(state, { state: "unknown" });
  }
  if (isKnown(token) && !isSameToken(token, name, registry)) return state;
  const after = outcome === "refused" ? "unknown" : "deleted";
  const { scopeMap } = token;
  return withToken(state, { ...NOTHING_KNOWN, scopeMap, name, registry, state: after });
}

/** A name that a shell puts in. */
function isPlaceholder(name: string): boolean {
  return /[$%`<{]/.test(name);
}

/** The map of this name, or one without a name; else a new one, behind the others. */
function indexOf(maps: ScopeMapDraft[], name: string, registry: string): number {
  const isHere = (map: ScopeMapDraft) => map.registry === "" || registry === "" || isNameOf(map.registry, registry);
  const named = maps.findIndex((map) => isHere(map) && map.name.toLowerCase() === name.toLowerCase());
  const unnamed = maps.findIndex((map) => isHere(map) && map.name === "");
  return named >= 0 ? named : unnamed >= 0 ? unnamed : maps.length;
}

/** Rules without a name are not those of a map that is made now. */
function indexToMake(maps: ScopeMapDraft[], name: string, registry: string): number {
  const index = indexOf(maps, name, registry);
  return maps[index]?.name === "" && (maps[index]?.actions.length ?? 0) > 0 ? maps.length : index;
}

/** A map of the registry's own is known by its name alone. */
export function withSystemMap(state: PageState, name: string): PageState {
  const known = systemMap(name);
  const { maps } = state.model;
  if (!known || maps.some((map) => map.name === known.name)) return state;
  const registry = applicable(state.model).find((map) => map.registry)?.registry ?? "";
  return withMaps(state, [...maps.filter(isNamed), { ...known, registry }]);
}
