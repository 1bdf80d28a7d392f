/**
 * What was typed, kept in this browser until it is forgotten, without secrets; and what stood here before a link or an example took its
 * place.
 */

import { createEffect, createSignal, on, onCleanup } from "solid-js";
import { unwrap } from "solid-js/store";
import { blank, type Model } from "./model";
import type { Paste } from "./paste";
import type { Playground } from "./playground";
import { check, clean } from "./share";
import { fetchLarge, forget, keep, recall } from "./store";

const NOW = "scopegate.model";
const BEFORE = "scopegate.before";

/** So long after a change it is kept: soon, but not at each key. */
const SOON = 400;

export type Memory = ReturnType<typeof createMemory>;

/** The page as it was left, where that can be read at once. */
export function recalled(): Model | undefined {
  return modelIn(NOW) ?? undefined;
}

/** A defect of ours must not come back with each reload. */
export function forgetAll(): void {
  void forget(NOW);
  void forget(BEFORE);
}

export function createMemory(playground: Playground, paste: Paste) {
  const [isKept, setIsKept] = createSignal(true);
  const [before, setBefore] = createSignal(modelIn(BEFORE));
  /** How often the model had been changed when something took the place of everything. */
  let loadedAt = playground.changes();

  async function remember() {
    setIsKept(await keep(NOW, JSON.stringify(clean(unwrap(playground.model)))));
  }

  createEffect(
    on(
      playground.changes,
      () => {
        const later = setTimeout(remember, SOON);
        onCleanup(() => clearTimeout(later));
      },
      { defer: true },
    ),
  );
  const leave = () => void remember();
  addEventListener("pagehide", leave);
  onCleanup(() => removeEventListener("pagehide", leave));

  function put(model: Model) {
    paste.load(model);
    loadedAt = playground.changes();
  }

  /** Whether somebody would miss what stands here: what was put here and not touched since, they have elsewhere. */
  function isMissed(next: Model): boolean {
    const isTouched = playground.changes() > loadedAt || before() === null;
    return isTouched && ![blank(), next].some((other) => isSame(other, playground.model));
  }

  return {
    /** Whether the browser keeps what stands here. */
    isKept,
    /** What stood here before something else took its place. */
    before,
    /** What is too large to be read at once is here now. */
    ready: recallLarge(),
    /** Puts a model in the place of what stands here, which can be brought back. */
    replace(model: Model) {
      if (isMissed(model)) {
        const kept = structuredClone(unwrap(playground.model));
        setBefore(kept);
        void keep(BEFORE, JSON.stringify(clean(kept)));
      }
      put(model);
    },
    bringBack() {
      const kept = before();
      if (kept) put(kept);
      setBefore(null);
      void forget(BEFORE);
    },
    /** What stood here before is not wanted. */
    dismiss() {
      setBefore(null);
      void forget(BEFORE);
    },
    forget() {
      put(blank());
      setBefore(null);
      forgetAll();
    },
  };

  async function recallLarge() {
    if (recall(NOW).kind === "large") {
      const model = modelOf(await fetchLarge(NOW));
      if (model && playground.changes() === loadedAt) put(model);
    }
    if (recall(BEFORE).kind === "large") setBefore(modelOf(await fetchLarge(BEFORE)));
  }
}

function modelIn(name: string): Model | null {
  const kept = recall(name);
  return kept.kind === "text" ? modelOf(kept.text) : null;
}

function modelOf(text: string | null): Model | null {
  if (text === null) return null;
  try {
    const opened = check(JSON.parse(text));
    return opened.kind === "model" ? opened.model : null;
  } catch {
    return null;
  }
}

function isSame(one: Model, other: Model): boolean {
  return JSON.stringify(clean(one)) === JSON.stringify(clean(unwrap(other)));
}
