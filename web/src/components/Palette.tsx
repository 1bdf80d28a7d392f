/**
 * A dialog of commands: one types what one wants, and Enter does it.
 *
 * The focus goes back to where it was, unless the command moves it.
 */

import { createSignal, createUniqueId, type JSX, onMount } from "solid-js";
import type { Choice } from "./matching";
import { Count, createOptions, Options, optionId } from "./options";
import "./palette.css";

export interface Command extends Choice {
  readonly run: () => void;
}

const NONE = "No command matches.";

export function Palette(props: { commands: readonly Command[]; close: () => void }): JSX.Element {
  const id = createUniqueId();
  const [query, setQuery] = createSignal("");
  const list = createOptions(() => props.commands, query);
  let dialog: HTMLDialogElement | undefined;
  onMount(() => dialog?.showModal());

  function run(command: Command | undefined) {
    if (!command) return;
    dialog?.close();
    command.run();
  }

  function onKeyDown(event: KeyboardEvent) {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };
    const step = steps[event.key];
    if (step === undefined && event.key !== "Enter") return;
    event.preventDefault();
    if (step === undefined) run(list.active());
    else list.step(step);
  }

  return (
    // What is outside of a dialog's content is its backdrop. Escape closes it without our help.
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape does the same
    <dialog
      ref={dialog}
      class="palette"
      aria-label="Commands"
      onClose={props.close}
      onClick={(event) => event.target === dialog && dialog.close()}
    >
      <div class="palette-content">
        <div class="palette-field">
          <input
            type="text"
            role="combobox"
            aria-label="Find a command"
            placeholder="Find a command"
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            aria-autocomplete="list"
            aria-expanded="true"
            aria-controls={`${id}-list`}
            aria-activedescendant={optionId(`${id}-list`, list.active())}
            value={query()}
            onKeyDown={onKeyDown}
            onInput={(event) => {
              list.activate("");
              setQuery(event.currentTarget.value);
            }}
          />
          <button type="button" class="quiet" onClick={() => dialog?.close()}>
            Close
          </button>
        </div>
        <Options id={`${id}-list`} label="Commands" list={list} none={NONE} pick={run} />
        <Count shown={list.shown().length} none={NONE} />
      </div>
    </dialog>
  );
}
