/**
 * A dialog of commands: one types what one wants, and Enter does it.
 *
 * The focus goes back to where it was, unless the command moves it.
 */

import { createSignal, createUniqueId, type JSX } from "solid-js";
import { Dialog } from "./Dialog";
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

  function run(command: Command | undefined, close: () => void) {
    if (!command) return;
    close();
    command.run();
  }

  function onKeyDown(event: KeyboardEvent, close: () => void) {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };
    const step = steps[event.key];
    if (step === undefined && event.key !== "Enter") return;
    event.preventDefault();
    if (step === undefined) run(list.active(), close);
    else list.step(step);
  }

  return (
    <Dialog
      title="Commands"
      class="palette"
      close={props.close}
      head={(close) => (
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
          onKeyDown={(event) => onKeyDown(event, close)}
          onInput={(event) => {
            list.activate("");
            setQuery(event.currentTarget.value);
          }}
        />
      )}
    >
      {(close) => (
        <>
          <Options id={`${id}-list`} label="Commands" list={list} none={NONE} pick={(command) => run(command, close)} />
          <Count shown={list.shown().length} none={NONE} />
        </>
      )}
    </Dialog>
  );
}
