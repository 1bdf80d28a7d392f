/**
 * What was pasted, put where it belongs: a map among the maps, a command into the question,
 * repositories into the matrix.
 *
 * The field keeps its text, so a part is taken only when it is new: whoever changes a rule and then
 * adds a line to the field keeps the rule. Whoever types goes through half words: what these have
 * done (repositories, maps, a registry) goes again with the next key.
 */

import { createComputed, createMemo, createSignal, on } from "solid-js";
import { unwrap } from "solid-js/store";
import { scopeText } from "../clients/scopes";
import { attempt, type Challenge, type Reference, readScopes } from "../engine";
import { type Found, type Part, recognise, whenYamlIsThere } from "../recognise";
import { isSigned, withoutSignature } from "../tokens";
import { isSameMap, writtenMaps } from "./candidates";
import { putMap, takeChange, useSystemMap } from "./change";
import { locksOf } from "./locks";
import { hostAsked, IDENTITY, type Model, type ScopeMapDraft, type Target, type TokenSettings } from "./model";
import type { Playground } from "./playground";
import { isNameOf, labelOf } from "./registry";
import { isKnown, isSameToken, NOTHING_KNOWN, stateOf } from "./token";

export type { Part } from "../recognise";

type FoundCommand = Extract<Found, { kind: "command" }>;

export type Paste = ReturnType<typeof createPaste>;

export function createPaste(playground: Playground) {
  const [canReadAll, setCanReadAll] = createSignal(false);
  const parts = createMemo(() => partsOf(playground.model.pasted, canReadAll()));
  let taken = allTaken();
  let isTyped = false;
  /**
   * The rules as the field has put them last: whoever has changed them since can go back to them.
   */
  let put = rules(playground);
  /**
   * What went with its text while nothing else was understood: what follows from that waits for
   * what comes next.
   */
  let waiting: Taken[] = [];
  /** The question that a part of the field has asked last, and the part. */
  const [asked, setAsked] = createSignal<{ key: string; question: string } | null>(null);
  const isStale = createMemo(() => {
    const last = asked();
    if (!last || parts().some(({ found }) => found.kind !== "unknown")) return false;
    return JSON.stringify(playground.model.question) === last.question;
  });
  // What a client said was of the question that is gone now, and what was locked goes with its
  // text.
  createComputed(
    on(
      isStale,
      (stale) => {
        if (stale) return;
        if (!parts().some(({ found }) => isReport(found))) playground.report(null);
        playground.set("locks", locksOf(parts()));
      },
      { defer: true },
    ),
  );

  /**
   * The parts, by their text and which one of those with this text it is: what is pasted again is
   * new.
   */
  function keyed(): Map<string, Part> {
    const counts = new Map<string, number>();
    const all = parts().map((part) => [keyOf(part, counts), part] as const);
    // What was not understood may be, once the reader of YAML is there.
    return new Map(all.filter(([, { found }]) => found.kind !== "unknown"));
  }

  function keyOf({ from, to, found }: Part, counts: Map<string, number>): string {
    const slice = `${playground.model.pasted.slice(from, to)}${meaningOf(found)}`;
    const count = counts.get(slice) ?? 0;
    counts.set(slice, count + 1);
    return count === 0 ? slice : `${slice}\n#${count}`;
  }

  /** What stands in the field, as if it had been taken before. */
  function allTaken(): Map<string, Taken> {
    return new Map([...keyed()].map(([key, { found }]) => [key, { ...NOTHING_TAKEN, puts: mapsOf(found) }]));
  }

  /** What this part does to the page, and what only it has put there. */
  function takePart(found: Found, how: How): Taken {
    const { model } = playground;
    const known = new Set(model.repositories);
    const maps = changes(found) ? playground.copyOfMaps() : null;
    const token = isOfToken(found) || logsIn(found) ? { ...NOTHING_KNOWN, ...unwrap(model.token) } : null;
    const registry = model.maps[0]?.registry ?? "";
    take(playground, found, how);
    return {
      replaces: mapsOf(found).length > 0 || found.kind === "assertions",
      puts: mapsOf(found),
      names: model.repositories.filter((name) => !known.has(name)),
      maps,
      token,
      noted: registry === "" ? (model.maps[0]?.registry ?? "") : "",
      isOfToken: isOfToken(found),
    };
  }

  function write(text: string) {
    const byOneKey = isOneKey(playground.model.pasted, text);
    // The same once more is pasted, and not typed.
    if (text === playground.model.pasted) taken = new Map();
    playground.set("pasted", text);
    takeNew(byOneKey);
    isTyped = true;
  }

  function takeNew(byOneKey: boolean) {
    const before = taken;
    const now = keyed();
    taken = new Map([...now.keys()].map((key) => [key, before.get(key) ?? NOTHING_TAKEN]));
    const fresh = [...now].filter(([key]) => !before.has(key));
    const missing = [...before].filter(([key]) => !now.has(key));
    const gone = missing.map(([, part]) => part);
    const half = byOneKey ? gone : missing.filter(([key]) => now.has(`${key}\n${FAILED}`)).map(([, part]) => part);
    const isUnderstood = now.size > 0;
    const isEmpty = playground.model.pasted.trim() === "";
    // What was said of a token goes with its text, once something else is said; an empty field says
    // nothing.
    const stays = [...taken.values()].some((part) => part.isOfToken);
    const isReplaced = isUnderstood && !stays && [...waiting, ...gone].some((part) => part.isOfToken);
    if (isReplaced) playground.set("token", NOTHING_KNOWN);
    const goesLater = isEmpty ? [] : gone.filter((part) => !half.includes(part));
    waiting = isUnderstood ? [] : [...waiting, ...goesLater];
    playground.removeRepositories(half.flatMap((part) => part.names));
    takeBack(half);
    // What a client said and stands no longer in the field was of another question; without one,
    // the old answer stands.
    if (isUnderstood && !parts().some(({ found }) => isReport(found))) playground.report(null);
    const canBeUndone = !half.some((part) => part.replaces) || !isAsPut(playground, put);
    const added = fresh.map(([, part]) => part);
    // The locks of an answer that is left standing stay with it.
    if (!isStale()) playground.set("locks", locksOf(parts()));
    const areOthers = [...now].some(([key, { found }]) => before.has(key) && hasMaps(found));
    const all = [...now.values()];
    const isOlder = (map: ScopeMapDraft) => added.some((part) => replacesText(part, map, all));
    takeMaps(playground, added, { canBeUndone, gone: gone.flatMap(({ puts }) => puts), areOthers, isOlder });
    const failure = failureIn(added);
    let isChanged = false;
    for (const [place, [key, { found }]] of fresh.entries()) {
      // What is printed behind a change shows what it has made.
      if (isChanged) for (const map of mapsOf(found)) putMap(playground, map);
      isChanged ||= changes(found);
      const before = playground.model.question;
      const written = JSON.stringify(before);
      taken.set(key, takePart(found, { canBeUndone, asks: place <= failure }));
      const question = JSON.stringify(playground.model.question);
      if (question !== written || asks(found)) setAsked({ key, question });
    }
    put = rules(playground);
  }

  /**
   * What half a word has done to the maps goes with it, unless somebody has changed them since.
   */
  function takeBack(half: Taken[]) {
    const maps = half.find((part) => part.maps !== null)?.maps;
    if (maps && isAsPut(playground, put)) playground.replaceMaps(maps, false);
    const token = half.find((part) => part.token !== null)?.token;
    if (token) playground.set("token", token);
    const noted = half.map((part) => part.noted).find((registry) => registry !== "");
    if (noted && playground.model.maps[0]?.registry === noted) playground.set("maps", 0, "registry", "");
    put = maps || noted ? rules(playground) : put;
  }

  whenYamlIsThere(() => {
    setCanReadAll(true);
    if (isTyped) takeNew(false);
    else taken = allTaken();
  });

  return {
    /** What stands in the field. */
    parts,
    /**
     * Whether the answer is of a question that was in the field, and nothing that is understood has
     * taken its place.
     */
    isStale,
    /** Writes the field, and takes what is new in it. */
    write,
    /**
     * Puts everything in place of everything: what stands in the field then has been taken already.
     */
    load(model: Model) {
      playground.load(model);
      setAsked(null);
      waiting = [];
      taken = allTaken();
      put = rules(playground);
    },
  };
}

/** What the text around a part makes of it: it is another one when that changes. */
function meaningOf(found: Found): string {
  if (found.kind === "command" && found.outcome) return `\n${FAILED}`;
  if (found.kind !== "scopeMap") return "";
  const { name, actions } = found.map;
  return `\n#${name ?? ""} ${actions.length} ${found.isPart ?? false}`;
}

/** Behind the text of a command that was refused or has failed. */
const FAILED = "#failed";

/** What stands in a text; it is asked again when more kinds of texts can be read. */
function partsOf(text: string, _canReadAll: boolean): Part[] {
  return text.trim() === "" ? [] : recognise(text);
}

/**
 * What a part of the field has done, to be taken back where it was half of a word that is still
 * being typed.
 */
interface Taken {
  /** Whether it took the place of something. */
  replaces: boolean;
  /** The maps that stand in it. */
  puts: ScopeMapDraft[];
  /** The repositories that it has added. */
  names: string[];
  /** The maps as they were, where it has changed them. */
  maps: ScopeMapDraft[] | null;
  /** The token as it was, where it has said something of it. */
  token: TokenSettings | null;
  /** The registry that it has named first. */
  noted: string;
  /** Whether it says of a token which map it has, and whether it is good. */
  isOfToken: boolean;
}

const NOTHING_TAKEN: Taken = {
  replaces: false,
  puts: [],
  names: [],
  maps: null,
  token: null,
  noted: "",
  isOfToken: false,
};

function isOfToken(found: Found): boolean {
  if (found.kind === "token" || found.kind === "passwords") return true;
  return (found.kind === "command" || found.kind === "change") && (found.change?.token ?? null) !== null;
}

/** Half a name is the name of somebody else. */
function logsIn(found: Found): boolean {
  return found.kind === "command" && (found.user !== null || found.operation === "login");
}

function changes(found: Found): boolean {
  return found.kind === "change" || (found.kind === "command" && found.change !== null);
}

/** How a part is taken. */
interface How {
  canBeUndone: boolean;
  /** Whether a command is what is asked about. */
  asks: boolean;
}

/** The command that failed is what one wants to know about, whatever was tried after it. */
function failureIn(parts: Part[]): number {
  const last = parts.findLastIndex(({ found }) => found.kind === "error");
  const isOfCommand = parts.slice(0, Math.max(0, last)).some(({ found }) => found.kind === "command");
  return last >= 0 && isOfCommand ? last : parts.length;
}

/** Whether a part is a question, also the one that is asked already. */
function asks(found: Found): boolean {
  return found.kind === "scopes" || found.kind === "command" || found.kind === "reference" || isReport(found);
}

/** Whether a part says that something failed. */
function isReport(found: Found): boolean {
  return found.kind === "error" || found.kind === "unauthorized" || found.kind === "challenge";
}

function rules({ model }: Playground): string[][] {
  return model.maps.map(({ actions }) => unwrap(actions));
}

function isAsPut(playground: Playground, put: string[][]): boolean {
  const now = rules(playground);
  return now.length === put.length && now.every((actions, place) => actions === put[place]);
}

/** Whether one key makes the one text of the other. */
function isOneKey(before: string, after: string): boolean {
  const [short, long] = before.length < after.length ? [before, after] : [after, before];
  if (long.length - short.length !== 1) return false;
  let same = 0;
  while (same < short.length && short[same] === long[same]) same += 1;
  return short.slice(same) === long.slice(same + 1);
}

/** How maps are taken. */
interface MapsTaken {
  canBeUndone: boolean;
  /** The maps whose text has gone from the field. */
  gone: ScopeMapDraft[];
  /** Whether other maps stand in the field. */
  areOthers: boolean;
  /** Whether a map of the page is known to be older than one that is taken. */
  isOlder: (map: ScopeMapDraft) => boolean;
}

/**
 * Maps stay beside those that stand in the field already: a token may have either. Otherwise they
 * take the place of what was there. Undo goes back to before a map was typed, not to its last key.
 */
function takeMaps(playground: Playground, parts: Part[], { canBeUndone, gone, areOthers, isOlder }: MapsTaken): void {
  const maps = lastOfEach(parts.flatMap(({ found }) => mapsOf(found)));
  if (maps.length === 0) return;
  const current = playground.model.maps[0];
  const named = maps.map((map) => ({
    ...map,
    // The registry is often known from the command that failed, and the map does not name it.
    registry: map.registry || (current?.registry ?? ""),
  }));
  const kept = areOthers ? keptMaps(playground.copyOfMaps(), gone).filter((map) => !isOlder(map)) : [];
  const isNew = (map: ScopeMapDraft) =>
    !kept.some(
      (other) => isSameMap(other, map) && other.known === map.known && `${other.actions}` === `${map.actions}`,
    );
  playground.replaceMaps([...kept, ...named.filter(isNew)], canBeUndone);
}

/**
 * Whether a part says what has become of a map: it is whole where the map is not certain, or
 * printed behind what has changed the map.
 */
function replacesText(part: Part, map: ScopeMapDraft, all: Part[]): boolean {
  const [same] = mapsOf(part.found).filter((text) => text.name !== "" && isSameMap(text, map));
  if (!same) return false;
  const isChanged = all.some(({ from, found }) => from < part.from && changesMap(found, same.name));
  return isChanged || (map.known !== undefined && same.known === undefined);
}

function changesMap(found: Found, name: string): boolean {
  if (!changes(found) || (found.kind === "command" && found.outcome === "failed")) return false;
  const change = found.kind === "change" || found.kind === "command" ? found.change : null;
  return change !== null && change.token === null && (change.scopeMap ?? name).toLowerCase() === name.toLowerCase();
}

/** The maps of the page without those whose text has gone. */
function keptMaps(maps: ScopeMapDraft[], gone: ScopeMapDraft[]): ScopeMapDraft[] {
  const isOf = (map: ScopeMapDraft, text: ScopeMapDraft) =>
    map.name === text.name && (text.registry === "" || map.registry === text.registry);
  return gone.reduce((rest, text) => {
    const same = rest.findIndex((map) => isOf(map, text) && `${map.actions}` === `${text.actions}`);
    const place = same >= 0 ? same : rest.findIndex((map) => isOf(map, text));
    return place < 0 ? rest : rest.toSpliced(place, 1);
  }, writtenMaps(maps));
}

/** Whether a part says what is in a map. */
function hasMaps(found: Found): boolean {
  if (mapsOf(found).length > 0) return true;
  if (found.kind !== "change" && (found.kind !== "command" || found.outcome === "failed")) return false;
  return (found.change?.actions.length ?? 0) > 0 || (found.change?.open ?? null) !== null;
}

/** A map that stands there twice is what it was the last time. */
function lastOfEach(maps: ScopeMapDraft[]): ScopeMapDraft[] {
  const named = new Map(
    maps.map((map, place) => [map.name === "" ? String(place) : `${map.registry}/${map.name}`, map]),
  );
  return [...named.values()];
}

/** The maps of a file of assertions are parts of their own. */
function mapsOf(found: Found): ScopeMapDraft[] {
  if (found.kind !== "scopeMap") return [];
  const { name, registry, description, actions } = found.map;
  const known = found.isConditional ? { known: "not" as const } : found.isPart ? { known: "partly" as const } : {};
  return [{ name: name ?? "", registry: registry ?? "", description, actions: [...actions], ...known }];
}

function take(playground: Playground, found: Found, { canBeUndone, asks }: How): void {
  switch (found.kind) {
    case "command":
      takeCommand(playground, found, asks);
      break;
    case "jwt":
      playground.hold(withMark(found.token));
      break;
    case "challenge":
      takeChallenges(playground, found.challenges);
      break;
    case "unauthorized":
      takeUnauthorized(playground, found.required.join(" "));
      break;
    case "scopes":
      noteRegistry(playground, found.registry ?? "");
      // What is no scope is asked about too, and said to be none.
      askFor(
        playground,
        [...found.report.scopes.map(scopeText), ...found.report.invalid.map(({ scope }) => scope)].join(" "),
        found.registry ?? "",
      );
      break;
    case "error":
      takeError(playground, found);
      break;
    case "token":
      takeToken(playground, found);
      break;
    case "reference":
      noteRegistry(playground, found.reference.registry ?? "");
      askFor(playground, `repository:${found.reference.repository}:pull`, found.reference.registry ?? "");
      break;
    case "repositories":
      playground.addRepositories(found.names);
      break;
    case "passwords":
      takePasswords(playground, found);
      break;
    case "change":
      takeChange(playground, found.change, labelOf(found.registry ?? ""), null);
      break;
    case "assertions":
      playground.replaceAssertions(found.file, canBeUndone);
      break;
  }
}

function askFor(playground: Playground, scopes: string, registry = ""): void {
  const text = scopes.trim();
  if (text === "") return;
  playground.ask({ kind: "scope", text, registry });
  const read = attempt(() => readScopes(text));
  const entries = read.kind === "value" ? read.value.scopes : [];
  showRepositories(
    playground,
    entries.filter(({ type }) => type.startsWith("repository")).map(({ name }) => name),
  );
}

function takeChallenges(playground: Playground, challenges: Challenge[]): void {
  const asked = challenges
    .map(({ scope }) => scope ?? "")
    .join(" ")
    .trim();
  const [{ service, realm, error } = { service: null, realm: "", error: null }] = challenges;
  const registry = hostOf(service ?? "") || hostOf(realm);
  noteRegistry(playground, registry);
  if (error !== null) {
    const meaning = error === "insufficient_scope" ? "denied" : "unauthenticated";
    playground.report({ meaning, repository: null, asked });
  }
  askFor(playground, asked, registry);
}

/** The host of an address, or of a service that is called by its host. */
function hostOf(text: string): string {
  if (URL.canParse(text) && text.includes("://")) return new URL(text).host;
  return /^[\w-]+(?:\.[\w-]+)+(?::\d+)?$|^[\w.-]+:\d+$/.test(text) ? text : "";
}

/**
 * A body alone does not say of which registry it is; the challenge or the command before it may
 * have.
 */
function takeUnauthorized(playground: Playground, required: string): void {
  const { question } = playground.model;
  const repository = question.kind === "operation" ? question.target.repository : null;
  playground.report({ meaning: "unknown", repository, asked: required });
  // The command that failed says more than the answer that it got.
  if (question.kind === "operation" && repository !== "") return;
  askFor(playground, required, hostAsked(question));
}

function takeCommand(playground: Playground, found: FoundCommand, asks: boolean): void {
  const { operation, reference, source, registry } = asked(playground, found);
  const host = reference?.registry ?? registry ?? source?.registry ?? "";
  noteRegistry(playground, host);
  const isLogin = found.client === "az" && operation === "login";
  if (found.user || isLogin) logIn(playground, found.user ?? IDENTITY);
  if (found.change) {
    takeChange(playground, found.change, labelOf(host), found.outcome);
    return;
  }
  if (SAYS_ONLY.test(operation)) return;
  const repository = reference?.repository ?? source?.repository ?? "";
  showRepositories(playground, repository ? [repository] : []);
  if (!asks) return;
  const digest = (reference ?? source)?.digest ?? null;
  const target: Target = {
    registry: host,
    repository,
    tag: reference?.tag ?? source?.tag ?? "latest",
    ...(digest === null ? {} : { digest }),
    source: reference && source ? source.repository : "",
  };
  playground.ask({ kind: "operation", operation: operationOf({ ...found, operation, reference }), target });
  playground.set("panel", "client");
}

/** These are about what they print. */
const SAYS_ONLY = /^(?:token|scope-map|manifest)-(?:show|update)$/;

/** Of somebody else than the token that is known nothing is known. */
function logIn(playground: Playground, name: string): void {
  const { token } = playground.model;
  const isSame = token.name.toLowerCase() === name.toLowerCase();
  playground.set("token", isSame ? { name } : { ...NOTHING_KNOWN, name });
}

/**
 * A copy as far as one registry is asked: both sides of it, or the one that is here. What is not in
 * a registry at all is nobody's to decide about; an import reads from where it says.
 */
function asked(playground: Playground, found: FoundCommand): FoundCommand {
  const { operation, reference, source } = found;
  if (operation === "import") return { ...found, reference: source, source: null, registry: source?.registry ?? "" };
  if (operation !== "copy" || (!reference && !source)) return found;
  if (reference && source && reference.registry === source.registry) return found;
  const isHere = (image: Reference | null) =>
    image !== null && playground.model.maps.some(({ registry }) => isNameOf(registry, labelOf(image.registry ?? "")));
  const reads = !reference || (source !== null && isHere(source) && !isHere(reference));
  return reads
    ? { ...found, operation: "pull", reference: source, source: null }
    : { ...found, operation: "push", source: null };
}

/**
 * What the simulator calls it. Some commands do other things with a tag, or an exact version, than
 * without.
 */
function operationOf({ client, operation, reference }: FoundCommand): string {
  const hasTag = (reference?.tag ?? reference?.digest ?? null) !== null;
  if (client === "az" && operation === "repository-delete" && hasTag) return "az-repository-delete-image";
  const pulls = operation === "pull" || operation === "install" || operation === "show";
  // Helm lists the tags unless the version is exact.
  if (client === "helm" && pulls) return hasTag ? "helm-pull" : "helm-install";
  return `${client}-${operation}`;
}

/** An error alone says a repository and, at best, what was needed. */
function takeError(playground: Playground, found: Extract<Found, { kind: "error" }>): void {
  noteRegistry(playground, found.registry ?? "");
  const { question } = playground.model;
  const known = question.kind === "operation" && question.target.repository !== "";
  // The command that failed says more than what it printed.
  const isOfCommand = known && (found.repository === null || found.repository === question.target.repository);
  const guessed = found.repository === null || isOfCommand ? "" : `repository:${found.repository}:pull`;
  const required = (found.required.join(" ") || guessed).trim();
  playground.report({ meaning: found.meaning, repository: found.repository, asked: required });
  if (!isOfCommand) askFor(playground, required, found.registry ?? "");
}

function takeToken(playground: Playground, found: Extract<Found, { kind: "token" }>): void {
  const { token } = playground.model;
  const registry = found.registry ?? "";
  const isKnown = found.isInPart && found.name !== null && isSameToken(token, found.name, registry);
  const before = isKnown ? token : null;
  const facts = {
    status: found.status ?? before?.facts?.status ?? "enabled",
    passwords: found.passwords?.map(({ name, expiry }) => ({ name, expiry })) ?? before?.facts?.passwords ?? null,
    ...(found.hasUnknownMap ? { hasUnknownMap: true } : {}),
  };
  const scopeMap = found.scopeMap ?? before?.scopeMap ?? "";
  const name = found.name ? { name: found.name } : {};
  playground.set("token", { ...name, state: stateOf(facts, Date.now()), facts, scopeMap, registry });
  noteRegistry(playground, registry);
  useSystemMap(playground, scopeMap);
}

/**
 * Passwords that stand apart from their token are those of the token on the page, if they name no
 * other.
 */
function takePasswords(playground: Playground, { token, passwords }: Extract<Found, { kind: "passwords" }>): void {
  const { model } = playground;
  if (token !== null && isKnown(model.token) && !isSameToken(model.token, token, "")) return;
  const facts = { status: model.token.facts?.status ?? "enabled", passwords };
  playground.set("token", { ...(token === null ? {} : { name: token }), state: stateOf(facts, Date.now()), facts });
}

/** A token with a mark in place of its signature, if it had one as a whole. */
function withMark(token: string): string {
  const rest = withoutSignature(token);
  // Of what is no token at all nothing is left.
  return isSigned(token) || rest === "" ? `${rest}…` : rest;
}

/** The map is of the registry that is spoken of, where it does not say itself which it is of. */
function noteRegistry(playground: Playground, host: string): void {
  const map = playground.model.maps[0];
  const label = labelOf(host);
  if (map && map.registry === "" && label !== "") playground.set("maps", 0, "registry", label);
}

function showRepositories(playground: Playground, names: string[]): void {
  playground.addRepositories(names.filter((name) => name !== "" && name !== "*"));
}
