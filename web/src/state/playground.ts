/**
 * The page's one store: the model, what follows from it, and every way to change it.
 */

import { batch, createMemo, createSignal, onCleanup, untrack } from "solid-js";
import { createStore, type SetStoreFunction, unwrap } from "solid-js/store";
import { type Assertion, actions, type Edit as EngineEdit } from "../engine";
import { type Json, type Validity, validity } from "../tokens";
import { createAnswer } from "./answer";
import { applicable } from "./applicable";
import { createCandidates, type Granted, grantedByEach, withUncertainty } from "./candidates";
import { isMapMissing } from "./caveats";
import { comparedMap } from "./compared";
import { blank, hostAsked, type Model, type Question, type ScopeMapDraft } from "./model";
import type { PageModel } from "./page-state";
import { createPastedToken } from "./pasted-token";
import { createPolicy } from "./policy";
import { publish } from "./publish";
import { append, present, type Step, start, type Timeline } from "./reduce";
import { isBareName, labelOf } from "./registry";
import { createRows } from "./rows";

export type Playground = ReturnType<typeof createPlayground>;

export function createPlayground(initial: Model = blank()) {
  const [model, write] = createStore<Model>(structuredClone(unwrap(initial)));
  const [changes, setChanges] = createSignal(0);
  const [timeline, setTimeline] = createSignal(start(pageOf(initial)));

  const policy = createPolicy(() => ({ maps: model.maps, catalog: model.catalog }));
  const deciding = createMemo(() => applicable(model));
  const some = createPolicy(() => ({
    maps: deciding().length === model.maps.length ? [] : deciding(),
    catalog: model.catalog,
  }));
  /** What decides: the maps that count for what is asked. */
  const principal = () => (deciding().length === model.maps.length ? policy() : some()).principal;
  const compared = createCompared(model);
  const registry = createMemo(() => deciding().find((map) => map.registry)?.registry ?? "");
  /** The registry's host: that of the command, or the one that Azure gives the name. */
  const host = createMemo(() => {
    const named = hostAsked(model.question);
    return isBareName(named) || named === "" ? `${named || registry() || "myregistry"}.azurecr.io` : named;
  });
  const pastedToken = createPastedToken(
    () => model.held,
    () => model.profile,
  );
  /** The maps between which it is open which one the token has. */
  const candidates = createCandidates(() => ({ model, deciding: deciding() }));
  const granted = (names: string[]): Granted[] => {
    if (model.whose === "token") return pastedToken.granted(names).map((grant) => ({ ...grant, unsure: [] }));
    if (candidates().length > 0) return grantedByEach(candidates(), names);
    const unsure = isMapMissing(model) ? [...actions()] : [];
    const grants = withUncertainty(principal().granted(names), deciding());
    return grants.map((grant) => (grant.problem || !isMapMissing(model) ? grant : { ...grant, unsure }));
  };
  const { rows, more } = createRows({ model, principal, listedByToken: pastedToken.repositories, granted });
  const now = createClock();
  const pastedTokenValidity = createValidity(() => pastedToken.decoded()?.claims ?? null, now);
  const answer = createAnswer(model, principal, () => ({
    model,
    maps: deciding(),
    candidates: candidates(),
    pastedToken,
    registry: registry(),
    validity: pastedTokenValidity(),
  }));

  /** Every change but the text of the field goes through here. */
  function update(next: Timeline) {
    const before = present(untrack(timeline)).model;
    batch(() => {
      setTimeline(next);
      publish(write, before, present(next).model);
      setChanges((count) => count + 1);
    });
  }

  function change(...changes: Step["changes"]) {
    update(append(untrack(timeline), [{ key: null, changes, now: Date.now() }]));
  }

  return {
    model,
    policy,
    /** The maps that count for what is asked, and what they grant. */
    deciding,
    candidates,
    principal,
    /** The two maps that are compared. */
    compared,
    registry,
    /** The name of the registry that is asked, or that the maps are of. */
    registryNamed: () => labelOf(hostAsked(model.question)) || registry(),
    host,
    pastedToken,
    rows,
    /** What the rules propose beside the rows that are shown. */
    more,
    answer,
    now,
    actions: actions(),
    /** How often the model was changed. */
    changes,

    /** All that was done to the page, as a value that never changes. */
    timeline,
    update,
    /** Makes changes that are never retracted. */
    change,

    /** Puts everything in place of everything. */
    load(next: Model) {
      write("pasted", next.pasted);
      update(start(pageOf(next)));
    },
    /** The text of the field; `createPaste` applies what is in it. */
    setText(text: string) {
      write("pasted", text);
      setChanges((count) => count + 1);
    },
    set: ((...path: unknown[]) => change({ kind: "set", path: path.map(copy) })) as SetStoreFunction<Model>,
    ask(question: Question) {
      change({ kind: "ask", question: copy(question) });
    },
    /** Replaces the rules of one map. What is typed is undone as a whole. */
    write(index: number, actions: string[], isTyped = false) {
      change({ kind: "rules", index, actions: [...actions], isTyped });
    },
    replaceMaps(maps: ScopeMapDraft[]) {
      change({ kind: "maps", maps: copy(maps) });
    },
    /** Makes the change that the engine proposes. */
    apply(edits: EngineEdit[]) {
      const indices = new Map(deciding().map((map) => [map.name, model.maps.indexOf(map)]));
      const added = edits.map(({ scopeMap, actions }) => ({ index: indices.get(scopeMap) ?? 0, actions }));
      change({ kind: "fix", added: copy(added) });
    },
    addRepositories(names: string[]) {
      change({ kind: "show", names: [...names] });
    },
    removeRepositories(names: string[]) {
      change({ kind: "hide", names: [...names] });
    },
    /** Looks at what a token holds, whatever the maps grant now. */
    hold(token: string) {
      change({ kind: "jwt", token });
    },
    assert(assertion: Assertion) {
      change({ kind: "assert", assertion: copy(assertion) });
    },
  };
}

/** A model without the text of the field, as a value that no store changes. */
function pageOf(model: Model): PageModel {
  const { pasted: _, ...rest } = copy(model);
  return rest;
}

/** A value that no store changes. */
function copy<T>(value: T): T {
  return typeof value === "function" ? value : structuredClone(unwrap(value));
}

/** The policies of the map before and the map after. */
function createCompared(model: Model) {
  const of = (side: "before" | "after") =>
    createPolicy(() => ({ maps: [comparedMap(model, side) ?? []].flat(), catalog: model.catalog }));
  return { before: of("before"), after: of("after") };
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
 * changes, so it is the same one for as long as its text is.
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
