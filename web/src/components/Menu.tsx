/** A button that opens a list of choices. Escape and a click elsewhere close it, arrows move. */

import { createSignal, createUniqueId, For, type JSX, onCleanup, onMount, Show } from "solid-js";
import "./menu.css";

export function Menu<Item extends { name: string; about: string }>(props: {
  name: string;
  items: Item[];
  choose: (item: Item) => void;
}): JSX.Element {
  const [open, setOpen] = createSignal(false);
  const id = createUniqueId();
  let root: HTMLDivElement | undefined;
  let button: HTMLButtonElement | undefined;

  const entries = () => [...(root?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
  const close = () => {
    setOpen(false);
    button?.focus();
  };
  const elsewhere = (event: PointerEvent) => {
    if (open() && event.target instanceof Node && !root?.contains(event.target)) setOpen(false);
  };
  const leave = (event: FocusEvent) => {
    if (event.relatedTarget instanceof Node && !root?.contains(event.relatedTarget)) setOpen(false);
  };
  onMount(() => document.addEventListener("pointerdown", elsewhere));
  onCleanup(() => document.removeEventListener("pointerdown", elsewhere));

  function onKeyDown(event: KeyboardEvent) {
    if (!open()) return;
    if (event.key === "Escape") return close();
    const ends: Record<string, number> = { Home: 0, End: -1 };
    const end = ends[event.key];
    if (end !== undefined) {
      event.preventDefault();
      entries().at(end)?.focus();
    }
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const all = entries();
    const here = all.indexOf(document.activeElement as HTMLElement);
    all[(here + step + all.length) % all.length]?.focus();
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the buttons inside
    <div class="menu" ref={root} onKeyDown={onKeyDown} onFocusOut={leave}>
      <button
        type="button"
        ref={button}
        aria-haspopup="menu"
        aria-expanded={open()}
        aria-controls={id}
        onClick={() => {
          setOpen(!open());
          if (open()) entries()[0]?.focus();
        }}
      >
        {props.name}
      </button>
      <Show when={open()}>
        <div role="menu" id={id} class="menu-items" aria-label={props.name}>
          <For each={props.items}>
            {(item) => (
              <button
                type="button"
                role="menuitem"
                onClick={() => {
                  close();
                  props.choose(item);
                }}
              >
                <strong>{item.name}</strong>
                <span class="muted small">{item.about}</span>
              </button>
            )}
          </For>
        </div>
      </Show>
    </div>
  );
}
