/**
 * A dialog over the page, from when it is there until it is closed: by its button, by Escape, or by
 * a press beside it. The focus then goes back to where it came from.
 *
 * Left out: a dialog that waits for an answer.
 */

import { children, createUniqueId, type JSX, onCleanup, onMount, Show } from "solid-js";
import { announceIn } from "./announce";
import "./dialog.css";

export function Dialog(props: {
  title: string;
  /** What is at the top in place of the title, which is then only heard. */
  head?: (close: () => void) => JSX.Element;
  /** What it says first, which is heard with the title. */
  about?: string;
  class?: string;
  /** Called when it has closed. */
  close: () => void;
  /** What is in it, given what closes it. */
  children: (close: () => void) => JSX.Element;
}): JSX.Element {
  const id = createUniqueId();
  let dialog: HTMLDialogElement | undefined;
  let pressed: EventTarget | null = null;

  function close() {
    dialog?.close();
    announceIn(document.body);
  }

  const head = children(() => props.head?.(close));

  onMount(() => {
    dialog?.showModal();
    if (dialog) announceIn(dialog);
    // Where there is a field, one wants it before the button that closes.
    dialog?.querySelector("input")?.focus();
  });
  onCleanup(close);

  return (
    // What is outside of a dialog's content is its backdrop. Escape closes it without our help.
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape does the same
    <dialog
      ref={dialog}
      class={`dialog ${props.class ?? ""}`}
      aria-label={props.title}
      aria-describedby={props.about ? id : undefined}
      onClose={() => props.close()}
      onPointerDown={(event) => {
        pressed = event.target;
      }}
      // A text may be selected to beyond the edge: what counts is where the press began.
      onClick={(event) => event.target === dialog && pressed === dialog && close()}
    >
      <div class="dialog-content">
        <div class="dialog-head">
          <Show when={head()} fallback={<h2>{props.title}</h2>}>
            {head()}
          </Show>
          <button type="button" class="quiet" onClick={close}>
            Close
          </button>
        </div>
        <Show when={props.about}>{(about) => <p id={id}>{about()}</p>}</Show>
        {props.children(close)}
      </div>
    </dialog>
  );
}
