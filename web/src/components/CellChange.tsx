/**
 * What can be done with a cell of the matrix: grant it or revoke it, alone or more widely, each
 * with all that it would change.
 *
 * Loaded when the first cell is chosen.
 */

import { createMemo, createSignal, createUniqueId, For, type JSX, Show } from "solid-js";
import { type Cell, grants, type Offer, revokes } from "../state/grant";
import type { Row } from "../state/rows";
import { called, reach, restated } from "./cell-texts";
import { Sentence } from "./Sentence";
import "./cell-change.css";

export function CellChange(props: {
  cell: Cell;
  /** What the map grants, row by row. */
  rows: Row[];
  /** The actions of the map. */
  actions: string[];
  /** Takes the actions of the map as they become. */
  write: (actions: string[]) => void;
}): JSX.Element {
  const title = createUniqueId();
  const row = () => props.rows.find(({ name }) => name === props.cell.name);
  const isGranted = () => row()?.actions.includes(props.cell.action) ?? false;
  const lacksPull = () => props.cell.action === "push" && !isGranted() && !row()?.actions.includes("pull");
  const [withPull, setWithPull] = createSignal(true);
  const also = () => (lacksPull() && withPull() ? ["pull"] : []);
  const offers = createMemo(() =>
    isGranted()
      ? revokes(props.actions, props.rows, props.cell)
      : grants(props.actions, props.rows, props.cell, also()),
  );
  const actions = () => [props.cell.action, ...also()].map((action) => action.replace("_", " ")).join(" and ");

  return (
    <section class="cell-change" aria-labelledby={title}>
      <div class="row spread">
        <h3 id={title}>
          {isGranted() ? "Revoke" : "Grant"} {actions()}
        </h3>
        <Show when={lacksPull()}>
          <label class="small">
            <input
              type="checkbox"
              checked={withPull()}
              onChange={(event) => setWithPull(event.currentTarget.checked)}
            />
            with pull, which a push needs
          </label>
        </Show>
      </div>
      <ul class="plain">
        <For each={offers()}>
          {(offer, index) => (
            <li>
              <button
                type="button"
                class={index() === 0 ? undefined : "quiet"}
                onClick={() => props.write(offer.actions)}
              >
                <Sentence text={name(offer, index(), offers().length)} />
              </button>
              <span class="muted small">
                <Sentence text={`${reach(props.cell, offer)} ${restated(props.actions, offer.actions)}`} />
              </span>
            </li>
          )}
        </For>
      </ul>
    </section>
  );

  function name(offer: Offer, index: number, count: number): string {
    if (offer.pattern !== null) return `Grant on ${called(offer.pattern)}`;
    const own = called(props.cell.standsFor ?? props.cell.name, props.cell.standsFor !== null);
    if (count === 1) return `Revoke on ${own}`;
    return index === 0 ? `Revoke on ${own}, named repositories keep it` : "Remove the rules that grant it";
  }
}
