/**
 * What a person changes by hand, beside the field: as data, as what a part of the field changes.
 */

import type { Assertion } from "../engine";
import { addRepositories } from "./apply";
import type { Reported, ScopeMapDraft } from "./model";
import { type Handlers, type PageModel, type PageState, withMaps, withModel } from "./page-state";

export type Edit =
  /** A field, or a field of a field, and its value or what makes it of the one before. */
  | { kind: "set"; path: unknown[] }
  /** The rules of one map. What is typed is undone as a whole. */
  | { kind: "rules"; index: number; actions: string[]; isTyped: boolean }
  | { kind: "maps"; maps: ScopeMapDraft[] }
  /** The change that the engine proposes: rules for maps, by their indices. */
  | { kind: "fix"; added: { index: number; actions: string[] }[] }
  | { kind: "show"; names: string[] }
  | { kind: "hide"; names: string[] }
  | { kind: "assert"; assertion: Assertion };

export const editHandlers: Handlers<Edit> = {
  set: (state, { path }) => ({ ...state, model: updated(state.model, path) as PageModel }),
  rules: writeRules,
  maps: (state, { maps }) => withMaps(state, maps),
  fix: (state, { added }) => addRules(state, added),
  show: (state, { names }) => addRepositories(state, names),
  hide: (state, { names }) => hideRepositories(state, names),
  assert: (state, { assertion }) => {
    const assertions = [...state.model.assertions, assertion];
    return { ...withModel(state, { assertions }), isTyping: false };
  },
};

/**
 * Whether an edit says what the rules are: what an unfinished word had made of them stays then.
 */
export function isOfRules({ kind }: { kind: string }): boolean {
  return kind === "rules" || kind === "maps" || kind === "fix";
}

function hideRepositories(state: PageState, names: string[]): PageState {
  const hidden = new Set(names);
  return withModel(state, { repositories: state.model.repositories.filter((name) => !hidden.has(name)) });
}

function writeRules(state: PageState, { index, actions, isTyped }: Extract<Edit, { kind: "rules" }>): PageState {
  const map = state.model.maps[index];
  if (!map) return state;
  const maps = state.model.maps.with(index, { ...map, actions });
  return { ...withModel(state, { maps, reported: reportedAfter(state) }), isTyping: isTyped };
}

function addRules(state: PageState, added: { index: number; actions: string[] }[]): PageState {
  const maps = state.model.maps.map((map, index) => {
    const actions = added.filter((each) => each.index === index).flatMap((each) => each.actions);
    return actions.length === 0 ? map : { ...map, actions: [...map.actions, ...actions] };
  });
  return { ...withModel(state, { maps, reported: reportedAfter(state) }), isTyping: false };
}

/** What a client says when the rules may be the reason. */
const OF_RULES: Reported["meaning"][] = ["denied", "absent", "unknown"];

/**
 * The rules are others now: what was refused by those of before may not be. A login and a network
 * do not ask the rules.
 */
function reportedAfter({ model: { reported } }: PageState): Reported | null {
  return reported && OF_RULES.includes(reported.meaning) ? null : reported;
}

/**
 * A value with one of its fields set, as Solid's stores set it: objects are merged. A field that
 * is gone stays gone.
 */
function updated(value: unknown, [step, ...path]: unknown[]): unknown {
  if (path.length === 0) return leaf(value, step);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const index = Number(step);
    return index in value ? value.with(index, updated(value[index], path)) : value;
  }
  const key = String(step);
  return { ...value, [key]: updated((value as Record<string, unknown>)[key], path) };
}

function leaf(before: unknown, given: unknown): unknown {
  const value = typeof given === "function" ? given(before) : given;
  return isObject(before) && isObject(value) ? { ...before, ...value } : value;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
