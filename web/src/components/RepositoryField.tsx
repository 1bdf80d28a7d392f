/** Where repositories are added: one that is typed, a list that is pasted, or what is suggested. */

import { createSignal, createUniqueId, type JSX, Show } from "solid-js";
import { announce } from "./announce";

/** The most that are added at a time. */
const MAX_ADDED = 50;

export function RepositoryField(props: {
  /** What is shown already, and may be kept. */
  proposed: string[];
  /** What may be shown beside it. */
  more: string[];
  /** Whether there is something that was added. */
  hasOwn: boolean;
  add: (names: string[]) => void;
  clear: () => void;
}): JSX.Element {
  const id = createUniqueId();
  const [text, setText] = createSignal("");

  function add(names: string[]) {
    if (names.length === 0) return;
    props.add(names);
    announce(names.length === 1 ? `Added ${names[0]}.` : `Added ${names.length} repositories.`);
    setText("");
  }

  /** A list is taken at once; a single name may still be edited. */
  function paste(event: ClipboardEvent) {
    const pasted = event.clipboardData?.getData("text") ?? "";
    if (!/\S[\s,;]+\S/.test(pasted)) return;
    event.preventDefault();
    add(namesIn(pasted));
  }

  return (
    <form
      class="row repository-field"
      onSubmit={(event) => {
        event.preventDefault();
        add(namesIn(text()));
      }}
    >
      <label class="visually-hidden" for={id}>
        Add repositories
      </label>
      <input
        id={id}
        class="mono"
        type="text"
        spellcheck={false}
        autocapitalize="off"
        autocomplete="off"
        placeholder="Add repositories (one or a list)"
        value={text()}
        onInput={(event) => setText(event.currentTarget.value)}
        onPaste={paste}
      />
      <button type="submit">Add</button>
      <Show when={props.proposed.length > 0}>
        <button type="button" class="quiet" onClick={() => add(props.proposed)}>
          Pin suggestions
        </button>
      </Show>
      <Show when={props.more.length > 0}>
        <button type="button" class="quiet" onClick={() => add(props.more.slice(0, MAX_ADDED))}>
          {props.more.length > MAX_ADDED
            ? `Suggest ${MAX_ADDED} more (${props.more.length.toLocaleString("en")} available)`
            : `Suggest ${props.more.length} more`}
        </button>
      </Show>
      <Show when={props.hasOwn}>
        <button type="button" class="quiet" onClick={() => props.clear()}>
          Remove pinned
        </button>
      </Show>
    </form>
  );
}

function namesIn(text: string): string[] {
  return text.split(/[\s,;]+/).filter((name) => name !== "");
}
