/**
 * What was typed, kept in this browser until it is forgotten, without secrets; and what was here
 * before a link or an example took its place.
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
/** The most replaced pages that are kept. */
const MAX_BEFORE = 5;

/** Milliseconds from a change until it is kept: soon, but not at each key. */
const SAVE_DELAY = 400;

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
  const [before, setBefore] = createSignal(modelsIn(BEFORE));
  const atStart = playground.changes();
  /** How often the model had been changed when it was kept last. */
  let savedAt = atStart;
  /**
   * How often the model had been changed when something took the place of everything. What was left
   * here may be missed.
   */
  let loadedAt = atStart - 1;

  async function remember() {
    // Another tab may have written since.
    if (playground.changes() === savedAt) return;
    savedAt = playground.changes();
    setIsKept(await keep(NOW, JSON.stringify(clean(unwrap(playground.model)))));
  }

  createEffect(
    on(
      playground.changes,
      () => {
        const later = setTimeout(remember, SAVE_DELAY);
        onCleanup(() => clearTimeout(later));
      },
      { defer: true },
    ),
  );
  const leave = () => void remember();
  addEventListener("pagehide", leave);
  onCleanup(() => removeEventListener("pagehide", leave));

  function load(model: Model) {
    paste.load(model);
    loadedAt = playground.changes();
  }

  /**
   * Whether what is here would be missed: what was loaded and not touched since is elsewhere, too.
   */
  function isMissed(next: Model): boolean {
    const isTouched = playground.changes() > loadedAt || before().length === 0;
    return isTouched && ![blank(), next].some((other) => isSame(other, playground.model));
  }

  return {
    /** Whether the browser keeps what is here. */
    isKept,
    /** Whether something was here before that can be brought back. */
    hasBefore: () => before().length > 0,
    /** What is too large to be read at once is here now. */
    ready: recallLarge(),
    /** Replaces what is here by a model; what was here can be brought back. */
    replace(model: Model) {
      if (isMissed(model)) keepBefore([...before(), present()]);
      load(model);
    },
    /**
     * Brings back the last of what was here. What is here now is kept in its place if it was
     * touched.
     */
    bringBack() {
      const kept = before().at(-1);
      if (!kept) return;
      const isTouched = playground.changes() > loadedAt;
      keepBefore([...(isTouched ? [present()] : []), ...before().slice(0, -1)]);
      load(kept);
      // What was brought back is nowhere else.
      loadedAt -= 1;
    },
    /** What was here before is not wanted. */
    dismiss: () => keepBefore([]),
    forget() {
      load(blank());
      setBefore([]);
      forgetAll();
    },
  };

  function present(): Model {
    return structuredClone(unwrap(playground.model));
  }

  function keepBefore(models: Model[]) {
    const kept = models.slice(-MAX_BEFORE);
    setBefore(kept);
    void (kept.length > 0 ? keep(BEFORE, JSON.stringify(kept.map(clean))) : forget(BEFORE));
  }

  async function recallLarge() {
    if (recall(NOW).kind === "large") {
      const model = modelOf(await fetchLarge(NOW));
      if (model && playground.changes() === atStart) load(model);
    }
    if (recall(BEFORE).kind === "large") setBefore(modelsOf(await fetchLarge(BEFORE)));
  }
}

function modelIn(name: string): Model | null {
  const kept = recall(name);
  return kept.kind === "text" ? modelOf(kept.text) : null;
}

function modelsIn(name: string): Model[] {
  const kept = recall(name);
  return kept.kind === "text" ? modelsOf(kept.text) : [];
}

function modelOf(text: string | null): Model | null {
  return modelIs(parsed(text));
}

function modelsOf(text: string | null): Model[] {
  const list = parsed(text);
  return Array.isArray(list) ? list.flatMap((item) => modelIs(item) ?? []) : [];
}

function modelIs(value: unknown): Model | null {
  const opened = check(value);
  return opened.kind === "model" ? opened.model : null;
}

/** Null for invalid JSON: something else has been kept under this name. */
function parsed(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

function isSame(one: Model, other: Model): boolean {
  return JSON.stringify(clean(one)) === JSON.stringify(clean(unwrap(other)));
}
