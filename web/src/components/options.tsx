/**
 * A list to choose from by typing: what fits, in its groups, and which of it is active.
 *
 * Follows the listbox of <https://www.w3.org/WAI/ARIA/apg/patterns/combobox/>: the focus stays in
 * the field, which names the active option. Left out: choosing several.
 */

import { createEffect, createMemo, createSignal, For, type JSX, Show } from "solid-js";
import { best, type Choice, matching } from "./matching";
import "./options.css";

export type OptionList<Item extends Choice> = ReturnType<typeof createOptions<Item>>;

/** The choices that fit what is typed; arrows move among them. */
export function createOptions<Item extends Choice>(choices: () => readonly Item[], query: () => string) {
  const shown = createMemo(() => matching(choices(), query()));
  const [chosen, activate] = createSignal("");
  const active = createMemo(() => shown().find(({ id }) => id === chosen()) ?? best(shown(), query()));

  function step(by: number) {
    const all = shown();
    const here = all.findIndex(({ id }) => id === active()?.id);
    const next = all[(here + by + all.length) % all.length];
    if (next) activate(next.id);
  }

  return { shown, active, activate, step };
}

export function optionId(list: string, choice: Choice | undefined): string | undefined {
  return choice && `${list}-${choice.id}`;
}

export function Options<Item extends Choice>(props: {
  /** The id of the list, which the field names. */
  id: string;
  label: string;
  list: OptionList<Item>;
  /** What is said where nothing fits. */
  none: string;
  pick: (item: Item) => void;
}): JSX.Element {
  const groups = createMemo(() => byGroup(props.list.shown()));
  let root: HTMLDivElement | undefined;

  // In its own scroll area: the page stays where it is.
  createEffect(() => {
    const option = document.getElementById(optionId(props.id, props.list.active()) ?? "");
    if (root && option) reveal(root, option);
  });

  return (
    <>
      {/* The focus stays in the field while one presses an option. */}
      <div
        class="options"
        role="listbox"
        id={props.id}
        aria-label={props.label}
        tabIndex={-1}
        ref={root}
        onMouseDown={(event) => event.preventDefault()}
      >
        <For each={groups()}>
          {([group, items]) => (
            // biome-ignore lint/a11y/useSemanticElements: a fieldset is no part of a listbox
            <div role="group" aria-labelledby={`${props.id}-of-${items[0]?.id}`}>
              <div class="options-group" role="presentation" id={`${props.id}-of-${items[0]?.id}`}>
                {group}
              </div>
              <For each={items}>
                {(item) => (
                  <Option
                    id={`${props.id}-${item.id}`}
                    choice={item}
                    isActive={props.list.active()?.id === item.id}
                    pick={() => props.pick(item)}
                  />
                )}
              </For>
            </div>
          )}
        </For>
      </div>
      <Show when={groups().length === 0}>
        <p class="muted options-none">{props.none}</p>
      </Show>
    </>
  );
}

function Option(props: { id: string; choice: Choice; isActive: boolean; pick: () => void }): JSX.Element {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field
    <div
      role="option"
      class="option"
      id={props.id}
      tabIndex={-1}
      aria-selected={props.isActive}
      aria-labelledby={`${props.id}-name`}
      aria-describedby={`${props.id}-hint`}
      onClick={props.pick}
    >
      <span id={`${props.id}-name`}>{props.choice.name}</span>
      <Show when={props.choice.keys}>{(keys) => <kbd>{keys()}</kbd>}</Show>
      <span class="option-hint" id={`${props.id}-hint`}>
        {props.choice.hint.replaceAll("`", "")}
      </span>
    </div>
  );
}

/** How many fit, for who does not see the list. */
export function Count(props: { shown: number; none: string }): JSX.Element {
  const text = () => (props.shown === 0 ? props.none : `${props.shown} ${props.shown === 1 ? "result" : "results"}`);
  return (
    <span class="visually-hidden" aria-live="polite">
      {text()}
    </span>
  );
}

function byGroup<Item extends Choice>(items: Item[]): [string, Item[]][] {
  const names = [...new Set(items.map(({ group }) => group))];
  return names.map((name) => [name, items.filter(({ group }) => group === name)]);
}

/** Scrolls so far that the option is seen, and the name of its group above the first one. */
function reveal(area: HTMLElement, option: HTMLElement): void {
  const before = option.previousElementSibling;
  const top = (before?.classList.contains("options-group") ? before : option).getBoundingClientRect().top;
  const [inside, { bottom }] = [area.getBoundingClientRect(), option.getBoundingClientRect()];
  if (top < inside.top) area.scrollTop -= inside.top - top;
  else if (bottom > inside.bottom) area.scrollTop += bottom - inside.bottom;
}
