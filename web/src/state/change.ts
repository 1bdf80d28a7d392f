/**
 * What commands do to the token and the scope maps of the page: make, change, take away.
 *
 * A command that its client refuses leaves open what is so now, and one that failed has done
 * nothing.
 */

import type { Change, FoundCommand } from "../recognise";
import { blankMap, type Model, type ScopeMapDraft, type TokenFacts } from "./model";
import type { Playground } from "./playground";
import { isNameOf } from "./registry";
import { systemMap } from "./system";
import { changed, isKnown, isSameToken, NOTHING_KNOWN, stateOf } from "./token";

export type Outcome = FoundCommand["outcome"];

/**
 * A command that makes a map says what is in it; one that changes a map adds to the one of that
 * name.
 */
export function takeChange(playground: Playground, change: Change, registry: string, outcome: Outcome): void {
  if (outcome === "failed") return;
  if (change.does === "deletes") {
    takeDeletion(playground, change, registry, outcome);
    return;
  }
  if (change.token !== null) changeToken(playground, change.token, change, registry, outcome);
  if (change.scopeMap) useSystemMap(playground, change.scopeMap);
  changeMap(playground, change, registry, outcome);
}

const FACTS: TokenFacts = { status: "enabled", passwords: null };

function changeToken(playground: Playground, name: string, change: Change, registry: string, outcome: Outcome): void {
  const { token } = playground.model;
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
  const state = keepsState && outcome === null ? token.state : stateOf(facts, Date.now());
  playground.set("token", { name, registry, scopeMap, state, facts });
}

function changeMap(playground: Playground, change: Change, registry: string, outcome: Outcome): void {
  const { token, scopeMap, actions, removed, open } = change;
  const creates = change.does === "creates";
  if (outcome === "refused") {
    // What stood in the option that is refused is not known.
    if (token === null) doubtMap(playground, scopeMap ?? "", registry);
    return;
  }
  if (actions.length === 0 && removed.length === 0 && open === null && (token !== null || !creates)) return;
  const maps = copyOf(playground.model.maps);
  const place = (creates ? placeToMake : placeOf)(maps, scopeMap ?? "", registry);
  const before = maps[place];
  const { registry: ofMap = "", ...map } = before ?? blankMap();
  const kept = creates ? [] : map.actions.filter((action) => !removed.includes(action));
  const added = actions.filter((action) => !kept.includes(action));
  playground.replaceMaps(
    maps.toSpliced(place, 1, {
      ...map,
      registry: ofMap || registry,
      name: scopeMap ?? map.name,
      actions: [...kept, ...added],
      known: knownAfter(creates ? undefined : (before ?? UNSEEN), creates, open),
    }),
  );
}

/** Puts a map in the place of the one of its name. */
export function putMap(playground: Playground, map: ScopeMapDraft): void {
  if (map.name === "") return;
  const maps = copyOf(playground.model.maps);
  const place = placeToMake(maps, map.name, map.registry);
  const registry = map.registry || (maps[place]?.registry ?? "");
  playground.replaceMaps(maps.toSpliced(place, 1, { ...map, registry }), false);
}

function doubtMap(playground: Playground, name: string, registry: string): void {
  const maps = copyOf(playground.model.maps);
  const place = placeOf(maps, name, registry);
  const map = maps[place];
  if (map && isNamed(map)) playground.replaceMaps(maps.with(place, { ...map, known: "not" }));
}

/** A map that is changed and stands nowhere has rules that nobody has seen. */
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

function takeDeletion(playground: Playground, change: Change, registry: string, outcome: Outcome): void {
  if (change.token !== null) {
    deleteToken(playground, change.token, registry, outcome);
    return;
  }
  const { maps } = playground.model;
  // Whatever a variable stands for may be the one.
  const isOpen = outcome === "refused" || isPlaceholder(change.scopeMap ?? "");
  const isGone = ({ name, registry: ofMap }: ScopeMapDraft) => {
    const isHere = ofMap === "" || registry === "" || isNameOf(ofMap, registry);
    // A map without a name may be the one.
    const wanted = change.scopeMap?.toLowerCase() ?? null;
    return isHere && (wanted === null || name === "" || name.toLowerCase() === wanted || isPlaceholder(wanted));
  };
  if (!maps.some((map) => isGone(map) && isNamed(map))) return;
  const left = copyOf(maps).map((map) => (isGone(map) ? { ...map, known: "not" as const } : map));
  playground.replaceMaps(isOpen ? left : copyOf(maps).filter((map) => !isGone(map)));
}

function deleteToken(playground: Playground, name: string, registry: string, outcome: Outcome): void {
  const { token } = playground.model;
  if (isPlaceholder(name)) {
    if (token.name !== name && token.state !== "disabled") playground.set("token", { state: "unknown" });
    if (token.name !== name) return;
  }
  if (isKnown(token) && !isSameToken(token, name, registry)) return;
  const state = outcome === "refused" ? "unknown" : "deleted";
  playground.set("token", { ...NOTHING_KNOWN, scopeMap: token.scopeMap, name, registry, state });
}

/** A name that a shell puts in. */
function isPlaceholder(name: string): boolean {
  return /[$%`<{]/.test(name);
}

function copyOf(maps: Model["maps"]): ScopeMapDraft[] {
  return maps.map((map) => ({ ...map, actions: [...map.actions] }));
}

/** The map of this name, or one that nobody has named; else a new one, behind the others. */
function placeOf(maps: ScopeMapDraft[], name: string, registry: string): number {
  const isHere = (map: ScopeMapDraft) => map.registry === "" || registry === "" || isNameOf(map.registry, registry);
  const named = maps.findIndex((map) => isHere(map) && map.name.toLowerCase() === name.toLowerCase());
  const unnamed = maps.findIndex((map) => isHere(map) && map.name === "");
  return named >= 0 ? named : unnamed >= 0 ? unnamed : maps.length;
}

/** Rules that nobody has named are not those of a map that is made now. */
function placeToMake(maps: ScopeMapDraft[], name: string, registry: string): number {
  const place = placeOf(maps, name, registry);
  return maps[place]?.name === "" && (maps[place]?.actions.length ?? 0) > 0 ? maps.length : place;
}

/** A map of the registry's own is known by its name alone. */
export function useSystemMap(playground: Playground, name: string): void {
  const known = systemMap(name);
  const { maps } = playground.model;
  if (!known || maps.some((map) => map.name === known.name)) return;
  const others = copyOf(maps.filter(isNamed));
  playground.replaceMaps([...others, { ...known, registry: playground.registry() }]);
}
