/**
 * What was removed, with a button that brings it back. It goes by itself after a while in which
 * neither pointer nor focus is on it.
 */

import { createEffect, createSignal, type JSX, on, onCleanup, Show } from "solid-js";
import { announce } from "./announce";
import { UNDO_KEYS } from "./shortcuts";
import "./toast.css";

/** Milliseconds until it goes. */
const SHOWN_FOR = 12_000;

export function Toast(props: {
  /** A sentence, or null where there is nothing to bring back. */
  text: string | null;
  undo: () => void;
  dismiss: () => void;
}): JSX.Element {
  const [isHeld, setHeld] = createSignal(false);
  /** What had the focus before this. */
  let before: EventTarget | null = null;

  createEffect(
    on(
      () => props.text,
      (text) => text && announce(`${text} Undo: ${UNDO_KEYS}.`),
    ),
  );
  createEffect(() => {
    if (props.text === null || isHeld()) return;
    const later = setTimeout(() => props.dismiss(), SHOWN_FOR);
    onCleanup(() => clearTimeout(later));
  });

  function close(does: () => void) {
    does();
    setHeld(false);
    if (before instanceof HTMLElement && before.isConnected) before.focus();
    before = null;
  }

  return (
    <Show when={props.text}>
      {(text) => (
        <section
          class="toast"
          aria-label="Removed"
          onPointerEnter={() => setHeld(true)}
          onPointerLeave={() => setHeld(false)}
          onFocusIn={(event) => {
            before ??= event.relatedTarget;
            setHeld(true);
          }}
          onFocusOut={() => setHeld(false)}
          onKeyDown={(event) => event.key === "Escape" && close(() => props.dismiss())}
        >
          <span>{text()}</span>
          <button type="button" class="quiet" onClick={() => close(() => props.undo())}>
            Undo
          </button>
          <button type="button" class="quiet" aria-label="Dismiss" onClick={() => close(() => props.dismiss())}>
            ×
          </button>
        </section>
      )}
    </Show>
  );
}
