/**
 * A field that chooses one of many by typing: it opens a list of what fits.
 *
 * Follows <https://www.w3.org/WAI/ARIA/apg/patterns/combobox/>: arrows open the list and move in
 * it, Enter chooses, Escape and leaving the field keep what was chosen before.
 */

import { createEffect, createSignal, createUniqueId, type JSX, onCleanup, Show } from "solid-js";
import type { Choice } from "./matching";
import { Count, createOptions, Options, optionId } from "./options";
import "./combobox.css";

const NONE = "No match.";

/** The most pixels of the list, and the fewest below the field before it opens above. */
const HEIGHT = { most: 360, fewest: 200 };

export function Combobox<Item extends Choice>(props: {
  label: string;
  choices: readonly Item[];
  /** The id of what is chosen; empty for nothing. */
  value: string;
  placeholder?: string;
  choose: (id: string) => void;
}): JSX.Element {
  const id = createUniqueId();
  const [isOpen, setOpen] = createSignal(false);
  /** What is typed since the list is open; null while the field shows what is chosen. */
  const [typed, setTyped] = createSignal<string | null>(null);
  const list = createOptions(
    () => props.choices,
    () => typed() ?? "",
  );
  const chosen = () => props.choices.find((choice) => choice.id === props.value);
  let field: HTMLInputElement | undefined;
  let popup: HTMLDivElement | undefined;

  function open() {
    if (isOpen()) return;
    list.activate(props.value);
    setOpen(true);
  }

  function close() {
    setOpen(false);
    setTyped(null);
    // What was typed is not what is chosen.
    if (field) field.value = chosen()?.name ?? "";
  }

  function pick(item: Item | undefined) {
    if (item) props.choose(item.id);
    close();
  }

  function onKeyDown(event: KeyboardEvent) {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };
    const step = steps[event.key];
    if (step !== undefined) {
      event.preventDefault();
      if (isOpen()) list.step(step);
      else open();
      return;
    }
    if (!isOpen()) return;
    if (event.key === "Enter") {
      event.preventDefault();
      pick(list.active());
    } else if (event.key === "Escape") {
      // A dialog around it stays open.
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  }

  createEffect(() => {
    if (!isOpen()) return;
    const again = () => field && popup && place(field, popup);
    again();
    // The keyboard of a phone takes room when it opens.
    visualViewport?.addEventListener("resize", again);
    onCleanup(() => visualViewport?.removeEventListener("resize", again));
  });

  return (
    <div class="combobox">
      <label for={id}>
        <span>{props.label}</span>
      </label>
      <input
        id={id}
        ref={field}
        type="text"
        role="combobox"
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        placeholder={props.placeholder}
        value={typed() ?? chosen()?.name ?? ""}
        aria-autocomplete="list"
        aria-expanded={isOpen()}
        aria-controls={isOpen() ? `${id}-list` : undefined}
        aria-activedescendant={isOpen() ? optionId(`${id}-list`, list.active()) : undefined}
        aria-describedby={chosen() ? `${id}-hint` : undefined}
        onFocus={(event) => event.currentTarget.select()}
        onClick={open}
        onBlur={close}
        onKeyDown={onKeyDown}
        onInput={(event) => {
          list.activate("");
          setTyped(event.currentTarget.value);
          setOpen(true);
        }}
      />
      <span class="visually-hidden" id={`${id}-hint`}>
        {chosen()?.hint.replaceAll("`", "")}
      </span>
      <Show when={isOpen()}>
        <div class="combobox-popup" ref={popup}>
          <Options id={`${id}-list`} label={props.label} list={list} none={NONE} pick={pick} />
        </div>
        <Show when={typed() !== null}>
          <Count shown={list.shown().length} none={NONE} />
        </Show>
      </Show>
    </div>
  );
}

/** Where there is room for the list: below the field, or else above. */
function place(field: HTMLElement, popup: HTMLElement): void {
  const { top, bottom } = field.getBoundingClientRect();
  const below = (visualViewport?.height ?? innerHeight) - bottom - 12;
  const isAbove = below < HEIGHT.fewest && top - 12 > below;
  popup.dataset.side = isAbove ? "above" : "below";
  const room = Math.max(isAbove ? top - 12 : below, HEIGHT.fewest);
  popup.style.maxHeight = `${Math.min(HEIGHT.most, room)}px`;
}
