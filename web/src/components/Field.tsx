/** A field of one line with its label, and what is wrong with its text, for eyes and ears alike. */

import { createUniqueId, type JSX, Show } from "solid-js";
import "./field.css";

export function Field(props: {
  label: string;
  value: string;
  write: (text: string) => void;
  placeholder?: string;
  /** What is wrong with the text. */
  error?: string | undefined;
}): JSX.Element {
  const id = createUniqueId();
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <input
        id={id}
        type="text"
        class="mono"
        value={props.value}
        spellcheck={false}
        autocapitalize="off"
        autocomplete="off"
        placeholder={props.placeholder}
        aria-invalid={props.error !== undefined}
        aria-describedby={props.error === undefined ? undefined : `${id}-error`}
        onInput={(event) => props.write(event.currentTarget.value)}
      />
      <Show when={props.error}>
        {(error) => (
          <p class="problem small" id={`${id}-error`}>
            {error()}
          </p>
        )}
      </Show>
    </div>
  );
}
