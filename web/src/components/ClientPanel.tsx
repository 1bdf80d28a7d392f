/** A client at work: which command it runs, on what, and every request of it. */

import { For, type JSX, Show } from "solid-js";
import { operations, type Simulation } from "../clients";
import type { Target } from "../state/model";
import { ClientTrace, type Lights } from "./ClientTrace";
import { Combobox } from "./Combobox";
import { commandChoices } from "./command-choices";
import { Field } from "./Field";
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
  return (
    <For each={FIELDS.filter((field) => props.needs.includes(field.id))}>
      {(field) => (
        <Field
          label={field.name}
          value={props.target[field.id]}
          write={(text) => props.write({ ...props.target, [field.id]: text.trim() })}
        />
      )}
    </For>
  );
}

const FIELDS: { id: "repository" | "tag" | "source"; name: string }[] = [
  { id: "repository", name: "Repository" },
  { id: "tag", name: "Tag" },
  { id: "source", name: "Source repository" },
];
