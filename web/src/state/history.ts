/**
 * Undo and redo of everything on the page: its one stack.
 *
 * A step is the page before a change: its text, what was done to it, and what was applied of the
 * text. These are values that never change and share what is the same, so a step costs what is new
 * in it. Keys that follow one another in one place are one step.
 *
 * Left out: which panel is open, and what only follows from the text, which are no steps of their
 * own; a reload, after which `memory` brings back what a link or an example has replaced.
 */

import { createComputed, createSignal, on, untrack } from "solid-js";
import type { PageModel } from "./page-state";
import type { Paste, Snapshot } from "./paste";
import type { Playground } from "./playground";
import { present } from "./reduce";
import { removedIn } from "./removed";

/** More steps are forgotten, the first ones first. */
const MAX_STEPS = 100;
/** Characters of texts in all steps together. */
const MAX_TEXT = 20_000_000;
/** Milliseconds without a key that end what is typed. */
const PAUSE = 1000;

/** The fields that a person changes, in which keys follow one another. */
const TYPED: (keyof PageModel)[] = ["question", "old", "token", "maps"];
const CHANGED: (keyof PageModel)[] = [...TYPED, "repositories", "held", "whose", "assertions", "catalog", "profile"];

export type History = ReturnType<typeof createHistory>;

export function createHistory(playground: Playground, paste: Paste, now: () => number = Date.now) {
  const [past, setPast] = createSignal<readonly Snapshot[]>([]);
  const [future, setFuture] = createSignal<readonly Snapshot[]>([]);
  const [removed, setRemoved] = createSignal<string | null>(null);
  let last = untrack(paste.snapshot);
  /** Where was typed last, and when. */
  let typed: { place: string; at: number } | null = null;
  let isWaiting = false;

  // A text and what is new in it change one after the other: they are one step.
  createComputed(
    on(
      playground.changes,
      () => {
        if (!isWaiting) queueMicrotask(note);
        isWaiting = true;
      },
      { defer: true },
    ),
  );

  function note() {
    isWaiting = false;
    const before = last;
    last = untrack(paste.snapshot);
    const changed = changedIn(before, last);
    if (changed.length === 0) return;
    const place = placeOf(before, last, changed);
    const continues = place !== null && typed?.place === place && now() - typed.at < PAUSE;
    typed = place === null ? null : { place, at: now() };
    setRemoved(place === null ? removedIn(before, last) : null);
    if (continues) return;
    setPast((steps) => bounded([...steps, before]));
    setFuture([]);
  }

  function go(from: () => readonly Snapshot[], setFrom: typeof setPast, setTo: typeof setPast) {
    if (isWaiting) note();
    const to = from().at(-1);
    if (!to) return;
    const here = last;
    last = to;
    typed = null;
    setFrom((steps) => steps.slice(0, -1));
    setTo((steps) => bounded([...steps, here]));
    setRemoved(null);
    paste.restore(to);
  }

  return {
    canUndo: () => past().length > 0,
    canRedo: () => future().length > 0,
    undo: () => go(past, setPast, setFuture),
    redo: () => go(future, setFuture, setPast),
    /** What the last change has removed, in a sentence. */
    removed,
    /** It is not offered any more to bring that back. */
    dismiss: () => setRemoved(null),
  };
}

function modelOf({ timeline }: Snapshot): PageModel {
  return present(timeline).model;
}

function changedIn(before: Snapshot, after: Snapshot): string[] {
  const [one, other] = [modelOf(before), modelOf(after)];
  const changed = CHANGED.filter((field) => one[field] !== other[field] && !isEqual(one[field], other[field]));
  return before.pasted === after.pasted ? changed : ["pasted", ...changed];
}

/** Where a key was pressed; null for anything but typing. */
function placeOf(before: Snapshot, after: Snapshot, changed: string[]): string | null {
  if (changed.includes("pasted")) return Math.abs(before.pasted.length - after.pasted.length) === 1 ? "pasted" : null;
  const [field] = changed;
  if (changed.length !== 1 || !TYPED.some((one) => one === field)) return null;
  if (field !== "maps") return field ?? null;
  const [one, other] = [modelOf(before).maps, modelOf(after).maps];
  const isRenamed = one.length === other.length && one.every((map, index) => map.actions === other[index]?.actions);
  if (isRenamed) return "names";
  return present(after.timeline).isTyping ? "rules" : null;
}

/** The steps that are kept: the last ones, as far as their texts are not too long together. */
function bounded(steps: readonly Snapshot[]): readonly Snapshot[] {
  let [first, length] = [steps.length, 0];
  while (first > 0 && steps.length - first < MAX_STEPS) {
    length += steps[first - 1]?.pasted.length ?? 0;
    if (length > MAX_TEXT && first < steps.length) break;
    first -= 1;
  }
  return steps.slice(first);
}

function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
