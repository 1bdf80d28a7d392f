/**
 * The page's one store: the model, what follows from it, and every way to change it.
 */

import { createMemo, createSignal, onCleanup } from "solid-js";
import { createStore, reconcile, type SetStoreFunction, unwrap } from "solid-js/store";
import {
  type Assertion,
  type AssertionFile,
  actions,
  attempt,
  type Edit,
  Principal,
  type RuleReport,
  readRules,
} from "../engine";
import { type Json, type Validity, validity } from "../tokens";
import { createAnswer } from "./answer";
import { applicable } from "./applicable";
import { createCandidates, type Granted, grantedByEach, withDoubt } from "./candidates";
import { comparedMap } from "./compared";
import { isMapMissing } from "./doubts";
import { createHeldToken } from "./held";
import { blank, blankMap, hostAsked, type Model, type Question, type Reported, type ScopeMapDraft } from "./model";
import { isBareName } from "./registry";
import { createRows } from "./rows";

export type Playground = ReturnType<typeof createPlayground>;

/**
 * A principal, and what is said about each action of its maps: read when somebody asks, which is
 * not at each key.
 */
export interface Compiled {
  principal: Principal;
  reports(place: number): RuleReport[];
}

export function createPlayground(initial: Model = blank()) {
  const [model, write] = createStore<Model>(initial);
  const [changes, setChanges] = createSignal(0);
  const history = createHistory();

  const compiled = createPrincipal(() => ({ maps: model.maps, catalog: model.catalog }));
  const deciding = createMemo(() => applicable(model));
  const some = createPrincipal(() => ({
    maps: deciding().length === model.maps.length ? [] : deciding(),
    catalog: model.catalog,
  }));
  /** What decides: the maps that count for what is asked. */
  const principal = () => (deciding().length === model.maps.length ? compiled() : some()).principal;
  const compared = createCompared(model);
  const registry = createMemo(() => deciding().find((map) => map.registry)?.registry ?? "");
  /** The registry's host: that of the command, or the one that Azure gives the name. */
  const host = createMemo(() => {
    const named = hostAsked(model.question);
    return isBareName(named) || named === "" ? `${named || registry() || "myregistry"}.azurecr.io` : named;
  });
  const held = createHeldToken(
    () => model.held,
    () => model.profile,
  );
  /** The maps between which it is open which one the token has. */
  const candidates = createCandidates(() => ({ model, deciding: deciding() }));
  const granted = (names: string[]): Granted[] => {
    if (model.whose === "token") return held.granted(names).map((grant) => ({ ...grant, unsure: [] }));
    if (candidates().length > 0) return grantedByEach(candidates(), names);
    const unsure = isMapMissing(model) ? [...actions()] : [];
    const grants = withDoubt(principal().granted(names), deciding());
    return grants.map((grant) => (grant.problem || !isMapMissing(model) ? grant : { ...grant, unsure }));
  };
  const { rows, more } = createRows({ model, principal, held: held.repositories, granted });
  const now = createClock();
  const heldValidity = createValidity(() => held.decoded()?.claims ?? null, now);
  const answer = createAnswer(model, principal, () => ({
    model,
    maps: deciding(),
    candidates: candidates(),
    held,
    registry: registry(),
    validity: heldValidity(),
  }));

  /**
   * Every change goes through here, so that whoever keeps the model need not read all of it at
   * each key.
   */
  const setModel = ((...change: unknown[]) => {
    (write as (...change: unknown[]) => void)(...change);
    setChanges((count) => count + 1);
  }) as SetStoreFunction<Model>;

  /** Whether the last change was a key in the editor. */
  let typing = false;

  function report(reported: Reported | null) {
    if (reported !== null || model.reported !== null) setModel("reported", reported);
  }

  /**
   * The rules are others now: what was refused by those of before may not be. A login and a
   * network do not ask the rules.
   */
  function forgetRefusal() {
    const { reported } = model;
    if (reported && OF_RULES.includes(reported.meaning)) report(null);
  }

  function replaceMaps(maps: ScopeMapDraft[], canBeUndone = true) {
    if (canBeUndone) history.push(present());
    typing = false;
    setModel("maps", maps.length > 0 ? maps : [blankMap()]);
  }

  function present(): Past {
    const { maps, assertions, catalog, reported } = model;
    return copy({ maps, assertions, catalog, reported });
  }

  return {
    model,
    compiled,
    /** The maps that count for what is asked, and what they grant. */
    deciding,
    candidates,
    principal,
    /** The two maps that are compared. */
    compared,
    registry,
    host,
    held,
    rows,
    /** What the rules propose beside the rows that are shown. */
    more,
    answer,
    now,
    actions: actions(),
    /** How often the model was changed. */
    changes,

    /** Puts everything in place of everything. */
    load(next: Model) {
      history.clear();
      const { question, ...rest } = next;
      setModel(rest);
      setModel("question", reconcile(question));
    },
    set: setModel,
    ask(question: Question) {
      setModel("question", reconcile(question));
    },
    /** Notes what a client said when it failed, or that nothing is known of it. */
    report,
    /** Replaces the rules of one map. What is typed is undone as a whole. */
    write(place: number, actions: string[], isTyped = false) {
      if (!isTyped || !typing) history.push(present());
      typing = isTyped;
      forgetRefusal();
      setModel("maps", place, "actions", actions);
    },
    replaceMaps,
    /** A copy of the maps as they are. */
    copyOfMaps: () => present().maps,
    /** Makes the change that the engine proposes. */
    apply(edits: Edit[]) {
      const places = new Map(deciding().map((map) => [map.name, model.maps.indexOf(map)]));
      history.push(present());
      forgetRefusal();
      const { maps } = present();
      for (const edit of edits) {
        const map = maps[places.get(edit.scopeMap) ?? 0];
        map?.actions.push(...edit.actions);
      }
      replaceMaps(maps, false);
    },
    addRepositories(names: string[]) {
      setModel("repositories", (before) => [...new Set([...before, ...names])]);
    },
    removeRepositories(names: string[]) {
      const gone = new Set(names);
      if (gone.size > 0) setModel("repositories", (before) => before.filter((name) => !gone.has(name)));
    },
    /** Looks at what a token holds, whatever the maps grant now. */
    hold(token: string) {
      setModel({ held: token, whose: "token", panel: "token" });
    },
    assert(assertion: Assertion) {
      history.push(present());
      typing = false;
      setModel("assertions", (before) => [...before, assertion]);
    },
    /** Takes a file of assertions in place of those that stand here. */
    replaceAssertions(file: AssertionFile, canBeUndone: boolean) {
      if (canBeUndone && model.assertions.length > 0) history.push(present());
      setModel({ assertions: file.assertions, catalog: file.catalog, panel: "tests" });
    },
    canUndo: history.canUndo,
    undo() {
      typing = false;
      const past = history.pop();
      if (past) setModel(past);
    },
  };
}

/** What a client says when the rules may be the reason. */
const OF_RULES: Reported["meaning"][] = ["denied", "absent", "unknown"];

/** The principals of the map before and the map after. */
function createCompared(model: Model) {
  const of = (side: "before" | "after") =>
    createPrincipal(() => ({ maps: [comparedMap(model, side) ?? []].flat(), catalog: model.catalog }));
  return { before: of("before"), after: of("after") };
}

/** A principal for maps, made again when they change, and given back to the engine. */
function createPrincipal(source: () => Pick<Model, "maps" | "catalog">) {
  return createMemo<Compiled>(() => {
    const { maps, catalog } = source();
    const principal = new Principal(catalog);
    onCleanup(() => principal.free());
    // A list is replaced whole when it changes, so its items need not be watched one by one.
    const lists = maps.map((map) => {
      const actions = unwrap(map.actions);
      attempt(() => principal.add(map.name, actions));
      return actions;
    });
    const read: RuleReport[][] = [];
    const reports = (place: number) => {
      read[place] ??= readRules(lists[place] ?? []);
      return read[place];
    };
    return { principal, reports };
  });
}

/** The time in seconds since 1970: a token that ends while the page is open has ended. */
function createClock() {
  const read = () => Math.floor(Date.now() / 1000);
  const [now, setNow] = createSignal(read());
  const timer = setInterval(() => setNow(read()), 1000);
  onCleanup(() => clearInterval(timer));
  return now;
}

/**
 * Whether a token is in time. An answer that follows from it is drawn and said again when this
 * changes, so it is the same one for as long as nobody would be told anything else.
 */
function createValidity(claims: () => Json | null, now: () => number) {
  const isSame = (one: Validity | null, other: Validity | null) =>
    one?.isAccepted === other?.isAccepted && (one?.isAccepted === true || one?.text === other?.text);
  return createMemo<Validity | null>(
    () => {
      const given = claims();
      return given ? validity(given, now()) : null;
    },
    null,
    { equals: isSame },
  );
}

/** What a paste or a button may replace. */
type Past = Pick<Model, "maps" | "assertions" | "catalog" | "reported">;

/** How it was before each change that one need not have meant. */
function createHistory() {
  const [past, setPast] = createSignal<Past[]>([]);
  return {
    canUndo: () => past().length > 0,
    push: (present: Past) => setPast((before) => [...before.slice(-49), present]),
    pop() {
      const last = past().at(-1);
      setPast((before) => before.slice(0, -1));
      return last;
    },
    clear: () => setPast([]),
  };
}

function copy<T extends object>(value: T): T {
  const plain = Object.entries(value).map(([key, field]) => [key, unwrap(field)]);
  return structuredClone(Object.fromEntries(plain)) as T;
}
