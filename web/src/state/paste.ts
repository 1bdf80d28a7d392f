/**
 * What was pasted, put where it belongs: a map among the maps, a command into the question, repositories into the matrix.
 *
 * The field keeps its text, so a part is taken only when it is new: whoever changes a rule and then adds a line to the field keeps the rule.
 * Whoever types goes through half words: the repositories that these named go again with the next key.
 */

import { createMemo, createSignal } from "solid-js";
import { scopeText } from "../clients/scopes";
import { attempt, readScopes } from "../engine";
import { type Change, type Found, type Part, recognise, whenYamlIsThere } from "../recognise";
import { withoutSignature } from "../tokens";
import { blankMap, type Model, type ScopeMapDraft, type Target } from "./model";
import type { Playground } from "./playground";
import { systemMap } from "./system";

export type { Part } from "../recognise";

export type Paste = ReturnType<typeof createPaste>;

export function createPaste(playground: Playground) {
  const [canReadAll, setCanReadAll] = createSignal(false);
  const parts = createMemo(() => partsOf(playground.model.pasted, canReadAll()));
  let taken = slices();
  let isTyped = false;

  /** What was not understood is not among them: it may be, once the reader of YAML is there. */
  function slices(): Map<string, Taken> {
    const { pasted } = playground.model;
    const understood = parts().filter(({ found }) => found.kind !== "unknown");
    return new Map(understood.map(({ from, to }) => [pasted.slice(from, to), { replaces: false, names: [] }]));
  }

  /** What this part does to the page, and which repositories only it has named. */
  function takePart(found: Found, canBeUndone: boolean): Taken {
    const known = new Set(playground.model.repositories);
    take(playground, found, canBeUndone);
    const names = playground.model.repositories.filter((name) => !known.has(name));
    return { replaces: mapsOf(found).length > 0 || found.kind === "assertions", names };
  }

  function write(text: string) {
    const byOneKey = isOneKey(playground.model.pasted, text);
    playground.set("pasted", text);
    takeNew(byOneKey);
    isTyped = true;
  }

  function takeNew(byOneKey: boolean) {
    const text = playground.model.pasted;
    const before = taken;
    taken = new Map([...slices()].map(([slice, nothing]) => [slice, before.get(slice) ?? nothing]));
    const fresh = parts().filter((part) => !before.has(text.slice(part.from, part.to)));
    const half = byOneKey ? [...before].filter(([slice]) => !taken.has(slice)).map(([, part]) => part) : [];
    playground.removeRepositories(half.flatMap((part) => part.names));
    // An error that stands no longer in the field was of another question.
    if (!parts().some(({ found }) => found.kind === "error")) playground.report(null);
    const canBeUndone = !half.some((part) => part.replaces);
    takeMaps(playground, fresh, canBeUndone);
    for (const { from, to, found } of fresh) taken.set(text.slice(from, to), takePart(found, canBeUndone));
  }

  whenYamlIsThere(() => {
    setCanReadAll(true);
    if (isTyped) takeNew(false);
    else taken = slices();
  });

  return {
    /** What stands in the field. */
    parts,
    /** Writes the field, and takes what is new in it. */
    write,
    /** Puts everything in place of everything: what stands in the field then has been taken already. */
    load(model: Model) {
      playground.load(model);
      taken = slices();
    },
  };
}

/** What stands in a text; it is asked again when more kinds of texts can be read. */
function partsOf(text: string, _canReadAll: boolean): Part[] {
  return text.trim() === "" ? [] : recognise(text);
}

/** What a part of the field has done, to be taken back where it was half of a word that is still being typed. */
interface Taken {
  /** Whether it took the place of something. */
  replaces: boolean;
  names: string[];
}

/** Whether one key makes the one text of the other. */
function isOneKey(before: string, after: string): boolean {
  const [short, long] = before.length < after.length ? [before, after] : [after, before];
  if (long.length - short.length !== 1) return false;
  let same = 0;
  while (same < short.length && short[same] === long[same]) same += 1;
  return short.slice(same) === long.slice(same + 1);
}

/** All maps of one paste are those of one principal. Undo goes back to before a map was typed, not to its last key. */
function takeMaps(playground: Playground, parts: Part[], canBeUndone: boolean): void {
  const maps = parts.flatMap(({ found }) => mapsOf(found));
  if (maps.length === 0) return;
  const current = playground.model.maps[0];
  const named = maps.map((map) => ({
    ...map,
    // The registry is often known from the command that failed, and the map does not name it.
    registry: map.registry || (current?.registry ?? ""),
  }));
  playground.replaceMaps(named, canBeUndone);
}

/** The maps of a file of assertions are parts of their own. */
function mapsOf(found: Found): ScopeMapDraft[] {
  if (found.kind !== "scopeMap") return [];
  const { name, registry, description, actions } = found.map;
  return [{ name: name ?? "", registry: registry ?? "", description, actions: [...actions] }];
}

function take(playground: Playground, found: Found, canBeUndone: boolean): void {
  switch (found.kind) {
    case "command":
      takeCommand(playground, found);
      break;
    case "jwt":
      playground.hold(withMark(found.token));
      break;
    case "challenge":
      askFor(playground, found.challenges.map((challenge) => challenge.scope ?? "").join(" "));
      break;
    case "unauthorized":
      askFor(playground, found.required.join(" "));
      break;
    case "scopes":
      askFor(playground, found.report.scopes.map(scopeText).join(" "));
      break;
    case "error":
      takeError(playground, found);
      break;
    case "token":
      takeToken(playground, found);
      break;
    case "reference":
      noteRegistry(playground, found.reference.registry ?? "");
      askFor(playground, `repository:${found.reference.repository}:pull`);
      break;
    case "repositories":
      playground.addRepositories(found.names);
      break;
    case "assertions":
      playground.replaceAssertions(found.file, canBeUndone);
      break;
  }
}

function askFor(playground: Playground, scopes: string): void {
  const text = scopes.trim();
  if (text === "") return;
  playground.ask({ kind: "scope", text });
  const read = attempt(() => readScopes(text));
  const entries = read.kind === "value" ? read.value.scopes : [];
  showRepositories(
    playground,
    entries.filter(({ type }) => type.startsWith("repository")).map(({ name }) => name),
  );
}

function takeCommand(playground: Playground, found: Extract<Found, { kind: "command" }>): void {
  const { client, operation, reference, source, registry } = found;
  const host = reference?.registry ?? registry ?? source?.registry ?? "";
  noteRegistry(playground, host);
  if (found.user) playground.set("token", "name", found.user);
  if (found.change) {
    takeChange(playground, found.change);
    return;
  }
  const repository = reference?.repository ?? source?.repository ?? "";
  if (client === "az" && operation === "import") return;
  const target: Target = {
    registry: host,
    repository,
    tag: reference?.tag ?? source?.tag ?? "latest",
    source: reference && source ? source.repository : "",
  };
  playground.ask({ kind: "operation", operation: operationOf(found), target });
  playground.set("panel", "client");
  showRepositories(playground, repository ? [repository] : []);
}

/** What the simulator calls it. Some commands do other things with a tag, or an exact version, than without. */
function operationOf({ client, operation, reference }: Extract<Found, { kind: "command" }>): string {
  const hasTag = (reference?.tag ?? reference?.digest ?? null) !== null;
  if (client === "az" && operation === "repository-delete" && hasTag) return "az-repository-delete-image";
  const pulls = operation === "pull" || operation === "install" || operation === "show";
  // Helm lists the tags unless the version is exact.
  if (client === "helm" && pulls) return hasTag ? "helm-pull" : "helm-install";
  return `${client}-${operation}`;
}

/** A command that makes a map says what is in it; one that changes a map is made to the map of that name. */
function takeChange(playground: Playground, change: Change): void {
  const maps = playground.model.maps.map((map) => ({ ...map, actions: [...map.actions] }));
  const place = Math.max(
    0,
    maps.findIndex((map) => map.name === change.scopeMap),
  );
  const map = maps[place] ?? blankMap();
  const kept = map.actions.filter((action) => !change.removed.includes(action));
  const added = change.actions.filter((action) => !kept.includes(action));
  maps[place] = { ...map, name: change.scopeMap ?? map.name, actions: [...kept, ...added] };
  if (change.token) playground.set("token", "name", change.token);
  playground.replaceMaps(maps);
}

/** An error alone says a repository and, at best, what was needed. */
function takeError(playground: Playground, found: Extract<Found, { kind: "error" }>): void {
  noteRegistry(playground, found.registry ?? "");
  const { question } = playground.model;
  const known = question.kind === "operation" && question.target.repository !== "";
  // The command that failed says more than what it printed.
  const isOfCommand = known && (found.repository === null || found.repository === question.target.repository);
  const guessed = found.repository === null || isOfCommand ? "" : `repository:${found.repository}:pull`;
  const asked = (found.required.join(" ") || guessed).trim();
  playground.report({ meaning: found.meaning, repository: found.repository, asked });
  if (!isOfCommand) askFor(playground, asked);
}

function takeToken(playground: Playground, found: Extract<Found, { kind: "token" }>): void {
  if (found.name) playground.set("token", "name", found.name);
  playground.set("token", "state", found.status === "disabled" ? "disabled" : "enabled");
  noteRegistry(playground, found.registry ?? "");
  playground.set("token", "scopeMap", found.scopeMap ?? "");
  const isEmpty = playground.model.maps.every(({ name, actions }) => name === "" && actions.length === 0);
  const known = systemMap(found.scopeMap ?? "");
  if (isEmpty && known) playground.replaceMaps([{ ...known, registry: playground.registry() }]);
}

/** A token with a mark in place of its signature, if it had one. */
function withMark(token: string): string {
  const rest = withoutSignature(token);
  return token.length > rest.length ? `${rest}…` : token;
}

/** The name of an Azure registry is the first label of its host. */
function noteRegistry(playground: Playground, host: string): void {
  const map = playground.model.maps[0];
  if (map && map.registry === "" && host !== "") playground.set("maps", 0, "registry", host.split(/[.:]/)[0] ?? "");
}

function showRepositories(playground: Playground, names: string[]): void {
  playground.addRepositories(names.filter((name) => name !== "" && name !== "*"));
}
