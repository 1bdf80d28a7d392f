/**
 * The page's one store: the model, what follows from it, and every way to change it.
 */

import { createMemo, createSignal, onCleanup } from "solid-js";
import { createStore, reconcile, type SetStoreFunction, unwrap } from "solid-js/store";
import { type Assertion, actions, attempt, type Edit, Principal, type RuleReport } from "../engine";
import { type Json, type Validity, validity } from "../tokens";
import { createAnswer } from "./answer";
import type { Reported } from "./doubts";
import { createHeldToken } from "./held";
import { blank, blankMap, type Model, type Question, type ScopeMapDraft } from "./model";
import { createRows } from "./rows";

export type Playground = ReturnType<typeof createPlayground>;

/** A principal and what was said about each action of its maps. */
export interface Compiled {
  principal: Principal;
  reports: RuleReport[][];
}

export function createPlayground(initial: Model = blank()) {
  const [model, write] = createStore<Model>(initial);
  const [changes, setChanges] = createSignal(0);
  const history = createHistory();

  const compiled = createPrincipal(() => ({ maps: model.maps, catalog: model.catalog }));
  const old = createPrincipal(() => ({ maps: model.old ? [model.old] : [], catalog: model.catalog }));
  const registry = createMemo(() => model.maps.find((map) => map.registry)?.registry ?? "");
  /** The registry's host: that of the command, or the one that Azure gives the name. */
  const host = createMemo(() => {
    const { question } = model;
    const named = question.kind === "operation" ? question.target.registry : "";
    return named || `${registry() || "myregistry"}.azurecr.io`;
  });
  const held = createHeldToken(() => model.held);
  const granted = (names: string[]) =>
    model.whose === "token" ? held.granted(names) : compiled().principal.granted(names);
  const rows = createRows(model, () => compiled().principal, granted);
  const [reported, setReported] = createSignal<Reported | null>(null);
  const now = createClock();
  const heldValidity = createValidity(() => held.decoded()?.claims ?? null, now);
  const answer = createAnswer(
    model,
    () => compiled().principal,
    () => ({ model, held, registry: registry(), reported: reported(), validity: heldValidity() }),
  );

  /** Every change goes through here, so that whoever keeps the model need not read all of it at each key. */
  const setModel = ((...change: unknown[]) => {
    (write as (...change: unknown[]) => void)(...change);
    setChanges((count) => count + 1);
  }) as SetStoreFunction<Model>;

  function replaceMaps(maps: ScopeMapDraft[], canBeUndone = true) {
    if (canBeUndone) history.push(copy(model.maps));
    setModel("maps", maps.length > 0 ? maps : [blankMap()]);
  }

  return {
    model,
    compiled,
    old,
    registry,
    host,
    held,
    rows,
    answer,
    now,
    /** What a client said when it failed, as far as the field tells. */
    setReported,
    actions: actions(),
    /** How often the model was changed. */
    changes,

    /** Puts everything in place of everything. */
    load(next: Model) {
      history.clear();
      // What a client said was said of another page.
      setReported(null);
      const { question, ...rest } = next;
      setModel(rest);
      setModel("question", reconcile(question));
    },
    set: setModel,
    ask(question: Question) {
      setModel("question", reconcile(question));
    },
    /** Replaces the rules of one map. */
    write(place: number, actions: string[]) {
      // What a client said was said of the rules of before.
      setReported(null);
      setModel("maps", place, "actions", actions);
    },
    replaceMaps,
    /** Makes the change that the engine proposes. */
    apply(edits: Edit[]) {
      setReported(null);
      const maps = copy(model.maps);
      for (const edit of edits) {
        const map = maps.find((map) => map.name === edit.scopeMap) ?? maps[0];
        map?.actions.push(...edit.actions);
      }
      replaceMaps(maps);
    },
    addRepositories(names: string[]) {
      const fresh = names.filter((name) => !model.repositories.includes(name));
      setModel("repositories", (before) => [...before, ...new Set(fresh)]);
    },
    removeRepository(name: string) {
      setModel("repositories", (before) => before.filter((other) => other !== name));
    },
    /** Looks at what a token holds, whatever the maps grant now. */
    hold(token: string) {
      setModel({ held: token, whose: "token", panel: "token" });
    },
    assert(assertion: Assertion) {
      setModel("assertions", (before) => [...before, assertion]);
    },
    canUndo: history.canUndo,
    undo() {
      const maps = history.pop();
      if (maps) setModel("maps", maps);
    },
  };
}

/** A principal for maps, made again when they change, and given back to the engine. */
function createPrincipal(source: () => Pick<Model, "maps" | "catalog">) {
  return createMemo<Compiled>(() => {
    const { maps, catalog } = source();
    const principal = new Principal(catalog);
    onCleanup(() => principal.free());
    const reports = maps.map((map) => {
      // A list is replaced whole when it changes, so its items need not be watched one by one.
      const added = attempt(() => principal.add(map.name, unwrap(map.actions)));
      return added.kind === "value" ? added.value : [];
    });
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
 * Whether a token is in time. An answer that follows from it is drawn and said again when this changes, so it is the same one for as long as
 * nobody would be told anything else.
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

/** The maps as they were before each change that a button made. */
function createHistory() {
  const [past, setPast] = createStore<{ maps: ScopeMapDraft[][] }>({ maps: [] });
  return {
    canUndo: () => past.maps.length > 0,
    push: (maps: ScopeMapDraft[]) => setPast("maps", (before) => [...before.slice(-49), maps]),
    pop() {
      const last = copy(past.maps.at(-1));
      setPast("maps", (before) => before.slice(0, -1));
      return last;
    },
    clear: () => setPast("maps", []),
  };
}

function copy<T>(value: T): T {
  return structuredClone(unwrap(value));
}
