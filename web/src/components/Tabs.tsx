/** Tabs, as the ARIA practices describe them: one stop for the tab key, arrows between. */

import { For, type JSX } from "solid-js";
import "./tabs.css";

export function Tabs<Id extends string>(props: {
  label: string;
  tabs: { id: Id; name: string; count?: number }[];
  chosen: Id;
  choose: (id: Id) => void;
  /** The id of the element that the tabs are for. */
  panel: string;
}): JSX.Element {
  const step = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1 };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const here = props.tabs.findIndex((tab) => tab.id === props.chosen);
    const next = props.tabs[(here + step + props.tabs.length) % props.tabs.length];
    if (!next) return;
    props.choose(next.id);
    document.getElementById(`${props.panel}-tab-${next.id}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={props.label} onKeyDown={step}>
      <For each={props.tabs}>
        {(tab) => (
          <button
            type="button"
            role="tab"
            id={`${props.panel}-tab-${tab.id}`}
            aria-selected={props.chosen === tab.id}
            aria-controls={props.panel}
            tabIndex={props.chosen === tab.id ? 0 : -1}
            onClick={() => props.choose(tab.id)}
          >
            {tab.name}
            {tab.count ? <span class="count">{tab.count}</span> : null}
          </button>
        )}
      </For>
    </div>
  );
}
