/** A client at work: which command it runs, on what, and every request of it. */

import { createUniqueId, For, type JSX, Show } from "solid-js";
import { operations, type Simulation } from "../clients";
import type { Target } from "../state/model";
import { ClientTrace, type Lights } from "./ClientTrace";
import { Combobox } from "./Combobox";
import { commandChoices } from "./command-choices";
import { Sentence } from "./Sentence";

export function ClientPanel(
  props: Lights & {
    /** The id of the operation; empty where something else is asked. */
    operation: string;
    /** What it is about, where an operation is asked. */
    target: Target | null;
    simulation: Simulation | null;
    /** What is said in place of the requests. */
    note: string;
    choose: (operation: string) => void;
    write: (target: Target) => void;
  },
): JSX.Element {
  const chosen = () => operations.find(({ id }) => id === props.operation);
  return (
    <div class="stack">
      <div class="fields">
        <Combobox
          label="Command"
          placeholder="Choose a command"
          choices={COMMANDS}
          value={props.operation}
          choose={props.choose}
        />
        <Show when={props.target}>
          {(target) => <TargetFields needs={chosen()?.needs ?? []} target={target()} write={props.write} />}
        </Show>
      </div>
      <Show
        when={props.simulation}
        fallback={
          <>
            <Show when={chosen()}>
              {(operation) => (
                <p>
                  <Sentence text={operation().about} />
                </p>
              )}
            </Show>
            <p class="muted">{props.note}</p>
          </>
        }
      >
        {(simulation) => <ClientTrace simulation={simulation()} isLit={props.isLit} point={props.point} />}
      </Show>
    </div>
  );
}

const COMMANDS = commandChoices(operations);

function TargetFields(props: {
  needs: readonly string[];
  target: Target;
  write: (target: Target) => void;
}): JSX.Element {
  const id = createUniqueId();
  const write = (field: keyof Target) => (event: { currentTarget: HTMLInputElement }) =>
    props.write({ ...props.target, [field]: event.currentTarget.value.trim() });
  return (
    <For each={FIELDS.filter((field) => props.needs.includes(field.id))}>
      {(field) => (
        <label for={`${id}-${field.id}`}>
          <span>{field.name}</span>
          <input
            id={`${id}-${field.id}`}
            type="text"
            class="mono"
            spellcheck={false}
            autocapitalize="off"
            value={props.target[field.id]}
            onInput={write(field.id)}
          />
        </label>
      )}
    </For>
  );
}

const FIELDS: { id: "repository" | "tag" | "source"; name: string }[] = [
  { id: "repository", name: "Repository" },
  { id: "tag", name: "Tag" },
  { id: "source", name: "Source repository" },
];
