/** One field for anything, and beneath it what was recognised and what was not. */

import { createUniqueId, For, type JSX, onCleanup, onMount, Show } from "solid-js";
import type { Part, Paste } from "../state/paste";
import type { Playground } from "../state/playground";
import { announce } from "./announce";
import { Mark } from "./Mark";
import { Sentence } from "./Sentence";
import { summary } from "./summary";
import "./paste-field.css";

/** A hostile text has tens of thousands of parts. */
const MAX_SHOWN = 24;

export function PasteField(props: { playground: Playground; paste: Paste }): JSX.Element {
  const id = createUniqueId();
  const text = () => props.playground.model.pasted;
  const parts = () => props.paste.parts();
  let field: HTMLTextAreaElement | undefined;

  function write(written: string) {
    props.paste.write(written);
    if (written !== "") announce(parts().slice(0, MAX_SHOWN).map(spoken).join("; "), "typed");
  }

  /** The button goes with the text. */
  function clear() {
    write("");
    field?.focus();
  }

  /** The chips are one stop for the tab key, with arrows between them. */
  function move(event: KeyboardEvent) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined || !(event.currentTarget instanceof HTMLElement)) return;
    const chips = [...event.currentTarget.querySelectorAll("button")];
    const here = chips.indexOf(document.activeElement as HTMLButtonElement);
    chips[here + step]?.focus();
  }

  function show(part: Part) {
    field?.focus();
    field?.setSelectionRange(part.from, part.to);
  }

  /** Files and texts may be dropped anywhere on the page. */
  async function drop(event: DragEvent) {
    const { dataTransfer } = event;
    if (!dataTransfer || isField(event.target)) return;
    event.preventDefault();
    const files = [...dataTransfer.files].filter(({ size }) => size <= MAX_FILE);
    if (files.length < dataTransfer.files.length) announce("A file larger than 4 MiB was left out.");
    const texts = await Promise.all(files.map((file) => file.text()));
    const dropped = files.length > 0 ? texts.join("\n") : dataTransfer.getData("text");
    if (dropped !== "") write(text().trim() === "" ? dropped : `${text().trimEnd()}\n${dropped}`);
  }
  const over = (event: DragEvent) => isField(event.target) || event.preventDefault();
  onMount(() => {
    document.addEventListener("dragover", over);
    document.addEventListener("drop", drop);
  });
  onCleanup(() => {
    document.removeEventListener("dragover", over);
    document.removeEventListener("drop", drop);
  });

  return (
    <section class="card paste" aria-labelledby={`${id}-title`}>
      <div class="row spread">
        <h2 id={`${id}-title`}>
          <label for={id}>Paste an error, token or scope map</label>
        </h2>
        <Show when={text() !== ""}>
          <button type="button" class="quiet" onClick={clear}>
            Clear
          </button>
        </Show>
      </div>
      <textarea
        id={id}
        ref={field}
        class="mono"
        rows="6"
        spellcheck={false}
        autocapitalize="off"
        autocomplete="off"
        aria-describedby={`${id}-found`}
        placeholder={
          "For example:\n$ docker push myregistry.azurecr.io/samples/nginx:v1\ndenied: requested access to the resource is denied\n\nOr a scope map (az, ARM, Bicep, Terraform, YAML), a token, a header, a scope, repositories"
        }
        value={text()}
        onInput={(event) => write(event.currentTarget.value)}
      />
      <ul class="found" id={`${id}-found`} onKeyDown={move}>
        <For each={parts().slice(0, MAX_SHOWN)}>
          {(part, index) => (
            <li>
              <button
                type="button"
                class="chip"
                tabIndex={index() === 0 ? 0 : -1}
                data-kind={part.found.kind}
                onClick={() => show(part)}
              >
                <Mark sign={part.found.kind === "unknown" ? "note" : "text"} />
                <span>
                  <strong>{summary(part.found).title}</strong> <Sentence text={summary(part.found).about} />
                </span>
              </button>
            </li>
          )}
        </For>
        <Show when={parts().length > MAX_SHOWN}>
          <li class="muted small">… and {(parts().length - MAX_SHOWN).toLocaleString("en")} more</li>
        </Show>
      </ul>
    </section>
  );
}

/** As much as is read of a text. */
const MAX_FILE = 4 << 20;

/** A text that is dragged into a field goes there. */
function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || (target instanceof HTMLElement && target.isContentEditable);
}

function spoken(part: Part): string {
  const { title, about } = summary(part.found);
  return `${title} ${about}`.replaceAll("`", "");
}
