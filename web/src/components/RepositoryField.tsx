/** Where repositories are added: one that is typed, or a list that is pasted. */

import { createSignal, type JSX, Show } from "solid-js";
import type { Playground } from "../state/playground";
import { announce } from "./announce";

/** The most that are added at a time. */
const MAX_ADDED = 50;

export function RepositoryField(props: { playground: Playground }): JSX.Element {
  const [text, setText] = createSignal("");

  function add(written: string) {
    const names = written.split(/[\s,;]+/).filter((name) => name !== "");
    if (names.length === 0) return;
    props.playground.addRepositories(names);
    announce(names.length === 1 ? `Added ${names[0]}.` : `Added ${names.length} repositories.`);
    setText("");
  }

  /** A list is taken at once; a single name may still be edited. */
  function paste(event: ClipboardEvent) {
    const pasted = event.clipboardData?.getData("text") ?? "";
    if (!/\S[\s,;]+\S/.test(pasted)) return;
    event.preventDefault();
    add(pasted);
  }

  const proposed = () => props.playground.rows().filter((row) => row.proposed);
  const more = () => props.playground.more();

  return (
    <form
      class="row repository-field"
      onSubmit={(event) => {
        event.preventDefault();
        add(text());
      }}
    >
      <label class="visually-hidden" for="repository">
        Add repositories
      </label>
      <input
        id="repository"
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
      <Show when={proposed().length > 0}>
        <button
          type="button"
          class="quiet"
          onClick={() =>
            add(
              proposed()
                .map((row) => row.name)
                .join(" "),
            )
          }
        >
          Pin suggestions
        </button>
      </Show>
      <Show when={more().length > 0}>
        <button type="button" class="quiet" onClick={() => add(more().slice(0, MAX_ADDED).join(" "))}>
          {more().length > MAX_ADDED
            ? `Suggest ${MAX_ADDED} more (${more().length.toLocaleString("en")} available)`
            : `Suggest ${more().length} more`}
        </button>
      </Show>
      <Show when={props.playground.model.repositories.length > 0}>
        <button type="button" class="quiet" onClick={() => props.playground.set("repositories", [])}>
          Remove pinned
        </button>
      </Show>
    </form>
  );
}
