/**
 * The state that the reducer computes: the model without the text of the field, and what undo
 * brings back. Values of it are never changed in place, so that keeping an old one costs nothing.
 */

import { blankMap, type Model, type ScopeMapDraft, type TokenSettings } from "./model";

/** The text is an input of the reducer and not a result: its parts are what is reduced. */
export type PageModel = Omit<Model, "pasted">;

/** What undo brings back. */
export type Past = Pick<Model, "maps" | "assertions" | "catalog" | "reported">;

export interface PageState {
  model: PageModel;
  /** How the page was before each change that can be undone, the last one last. */
  past: Past[];
  /** Whether the last change of a map was a key in the editor: it is undone as a whole. */
  isTyping: boolean;
}

const MAX_UNDO = 50;

/** What each kind of change makes of the page. */
export type Handlers<C extends { kind: string }> = {
  [Kind in C["kind"]]: (state: PageState, change: Extract<C, { kind: Kind }>, options: ApplyOptions) => PageState;
};

export interface ApplyOptions {
  /** Milliseconds since 1970 at which the text was pasted: passwords end. */
  now: number;
  /** Whether undo brings back the maps and the assertions that others take the place of. */
  isUndoable: boolean;
}

/** What a change makes of the page, by the handler of its kind. */
export function applyWith<C extends { kind: string }>(
  handlers: Handlers<C>,
  state: PageState,
  change: C,
  options: ApplyOptions,
): PageState {
  const handler = handlers[change.kind as C["kind"]];
  return handler(state, change as Extract<C, { kind: C["kind"] }>, options);
}

export function startState(model: PageModel): PageState {
  return { model, past: [], isTyping: false };
}

export function withModel(state: PageState, fields: Partial<PageModel>): PageState {
  return { ...state, model: { ...state.model, ...fields } };
}

export function withToken(state: PageState, fields: Partial<TokenSettings>): PageState {
  return withModel(state, { token: { ...state.model.token, ...fields } });
}

/** The state with what it is now as what undo brings back. */
export function withUndo(state: PageState): PageState {
  const { maps, assertions, catalog, reported } = state.model;
  const past = [...state.past.slice(1 - MAX_UNDO), { maps, assertions, catalog, reported }];
  return { ...state, past };
}

/** Puts maps in place of those that are here. There is always one. */
export function withMaps(state: PageState, maps: ScopeMapDraft[], isUndoable = true): PageState {
  const before = isUndoable ? withUndo(state) : state;
  return withModel({ ...before, isTyping: false }, { maps: maps.length > 0 ? maps : [blankMap()] });
}
