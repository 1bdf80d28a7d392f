/**
 * The state that the reducer computes: the model without the text of the field. Values of it are
 * never changed in place, so that keeping an old one costs nothing.
 */

import { blankMap, type Model, type ScopeMapDraft, type TokenSettings } from "./model";

/** The text is an input of the reducer and not a result: its parts are what is reduced. */
export type PageModel = Omit<Model, "pasted">;

export interface PageState {
  model: PageModel;
  /** Whether the last change of a map was a key in the editor: it is undone as a whole. */
  isTyping: boolean;
}

/** What each kind of change makes of the page. */
export type Handlers<C extends { kind: string }> = {
  [Kind in C["kind"]]: (state: PageState, change: Extract<C, { kind: Kind }>, options: ApplyOptions) => PageState;
};

export interface ApplyOptions {
  /** Milliseconds since 1970 at which the text was pasted: passwords end. */
  now: number;
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
  return { model, isTyping: false };
}

export function withModel(state: PageState, fields: Partial<PageModel>): PageState {
  return { ...state, model: { ...state.model, ...fields } };
}

export function withToken(state: PageState, fields: Partial<TokenSettings>): PageState {
  return withModel(state, { token: { ...state.model.token, ...fields } });
}

/** Puts maps in place of those that are here. There is always one. */
export function withMaps(state: PageState, maps: ScopeMapDraft[]): PageState {
  return withModel({ ...state, isTyping: false }, { maps: maps.length > 0 ? maps : [blankMap()] });
}
