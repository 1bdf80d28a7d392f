/**
 * The page as a function of what was there before, of the parts of the pasted texts, and of the
 * edits by hand.
 *
 * What an unfinished word has done goes with the next key: its step is retracted, and the page
 * computed again from the batch before it. Only the fields that a later text would not set anyway
 * go back (repositories, maps, the token): its question is asked until there is another.
 */

import type { Lock } from "../recognise";
import { partHandlers } from "./apply";
import { withPrintedMap } from "./change";
import { type Edit, editHandlers, isOfRules } from "./edits";
import type { ScopeMapDraft } from "./model";
import {
  applyWith,
  type Handlers,
  type PageModel,
  type PageState,
  startState,
  withModel,
  withToken,
} from "./page-state";
import type { Change } from "./pasted-changes";
import { type PastedMaps, withPastedMaps } from "./pasted-maps";
import { NOTHING_KNOWN } from "./token";

/** What a text changes as a whole, beside what its parts do. */
export type TextChange =
  | { kind: "forget-token" }
  | { kind: "forget-report" }
  | { kind: "locks"; locks: Lock[] }
  | { kind: "printed-map"; map: ScopeMapDraft }
  | ({ kind: "pasted-maps" } & PastedMaps);

type AnyChange = Change | TextChange | Edit;

/** The changes of one part, of a text as a whole, or by hand. */
export interface Step {
  /** The part in the field; null for a step that is never retracted. */
  key: string | null;
  changes: AnyChange[];
  /** Milliseconds since 1970. */
  now: number;
  /** Whether it was an unfinished word, which is gone. */
  isRetracted?: boolean;
}

/** All steps so far, in batches: what one text or one edit has done, and the state after it. */
export interface Timeline {
  base: PageState;
  batches: Batch[];
}

interface Batch {
  steps: Step[];
  after: PageState;
}

/**
 * The state after steps. A retracted one keeps what it made of the rules where they were edited
 * since.
 */
export function reduce(base: PageState, steps: Step[], isEditedSince = false): PageState {
  const lastEdit = steps.findLastIndex(isEditOfRules);
  return steps.reduce((before, step, index) => {
    const after = step.changes.reduce((state, change) => applyWith(HANDLERS, state, change, step), before);
    return step.isRetracted ? afterRetraction(before, after, isEditedSince || index < lastEdit) : after;
  }, base);
}

export function start(model: PageModel): Timeline {
  return { base: startState(model), batches: [] };
}

/** The state now. */
export function present({ base, batches }: Timeline): PageState {
  return batches.at(-1)?.after ?? base;
}

/** Adds a batch of steps. */
export function append(all: Timeline, steps: Step[]): Timeline {
  const timeline = continues(all, steps) ? { ...all, batches: all.batches.slice(0, -1) } : all;
  const before = present(timeline);
  const after = reduce(before, steps);
  if (after === before && steps.every(({ key }) => key === null)) return timeline;
  return settled({ ...timeline, batches: [...timeline.batches, { steps, after }] });
}

/** Whether keys in the editor follow others there: the last of them says all. */
function continues({ batches }: Timeline, steps: Step[]): boolean {
  const typed = (of: Step[]) => {
    const change = of.length === 1 ? of[0]?.changes[0] : undefined;
    return change?.kind === "rules" && change.isTyped ? change.index : null;
  };
  return typed(steps) !== null && typed(batches.at(-1)?.steps ?? []) === typed(steps);
}

type Keys = Pick<ReadonlyMap<string, unknown>, "has" | "size">;

/**
 * Closes the steps of parts that are gone. What the retracted ones of them have done goes, and what
 * the others have done stays.
 */
export function close(timeline: Timeline, gone: Keys, retracted: Keys): Timeline {
  if (gone.size === 0) return timeline;
  const isIn = (keys: Keys, { key }: Step) => key !== null && keys.has(key);
  const first = timeline.batches.findIndex(({ steps }) => steps.some((step) => isIn(retracted, step)));
  const lastEdit = timeline.batches.findLastIndex(({ steps }) => steps.some(isEditOfRules));
  let before = timeline.base;
  const batches = timeline.batches.map((batch, index) => {
    const steps = batch.steps.map((step) => (isIn(gone, step) ? closed(step, isIn(retracted, step)) : step));
    before = first < 0 || index < first ? batch.after : reduce(before, steps, index < lastEdit);
    return { steps, after: before };
  });
  return settled({ ...timeline, batches });
}

function closed(step: Step, isRetracted: boolean): Step {
  return { ...step, key: null, ...(isRetracted ? { isRetracted } : {}) };
}

/** Makes all that was done permanent. */
export function keepAll(timeline: Timeline): Timeline {
  return { base: present(timeline), batches: [] };
}

/** Folds the first batches into the base, as far as nothing can be retracted from them. */
function settled({ base, batches }: Timeline): Timeline {
  const open = batches.findIndex(({ steps }) => steps.some(({ key }) => key !== null));
  const count = open < 0 ? batches.length : open;
  return count === 0 ? { base, batches } : { base: batches[count - 1]?.after ?? base, batches: batches.slice(count) };
}

function isEditOfRules({ changes }: Step): boolean {
  return changes.some(isOfRules);
}

const HANDLERS: Handlers<AnyChange> = {
  ...partHandlers,
  ...editHandlers,
  "forget-token": (state) => withToken(state, NOTHING_KNOWN),
  "forget-report": (state) => (state.model.reported === null ? state : withModel(state, { reported: null })),
  locks: (state, { locks }) => withLocks(state, locks),
  "printed-map": (state, { map }) => withPrintedMap(state, map),
  "pasted-maps": withPastedMaps,
};

function withLocks(state: PageState, locks: Lock[]): PageState {
  return locks.length === 0 && state.model.locks.length === 0 ? state : withModel(state, { locks });
}

/** What is left of a step that is retracted. */
function afterRetraction(before: PageState, after: PageState, isEditedSince: boolean): PageState {
  const { repositories, token, maps } = before.model;
  const hasRules = after.model.maps.some(({ actions }, index) => actions !== maps[index]?.actions);
  if (isEditedSince && (hasRules || after.model.maps.length !== maps.length)) {
    return withModel(after, { repositories, token });
  }
  return withModel(after, { repositories, token, maps });
}
