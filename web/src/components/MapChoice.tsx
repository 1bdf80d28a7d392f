/**
 * Which of several scope maps a token has: asked where several could be, since it changes the
 * answer.
 */

import { createMemo, For, type JSX, Show } from "solid-js";
import { isSameMap } from "../state/candidates";
import type { ScopeMapDraft } from "../state/model";
import "./map-choice.css";

export function MapChoice(props: {
  maps: ScopeMapDraft[];
  /** The index of the chosen one; -1 while it is not known. */
  chosen: number;
  choose: (map: ScopeMapDraft | null) => void;
  compare: () => void;
}): JSX.Element {
  const told = createMemo(() => toldApart(props.maps));
  return (
    <Show when={props.maps.length > 1}>
      <div class="row map-choice">
        <label>
          <span>The token uses the scope map</span>
          <select onChange={(event) => props.choose(props.maps[Number(event.currentTarget.value)] ?? null)}>
            <option value="-1" selected={props.chosen === -1}>
              not known
            </option>
            <For each={props.maps}>
              {(map, index) => (
                <option value={String(index())} selected={index() === props.chosen} disabled={!told().has(map)}>
                  {map.name || "the unnamed map"}
                </option>
              )}
            </For>
          </select>
        </label>
        <button type="button" class="quiet" onClick={() => props.compare()}>
          Compare them
        </button>
      </div>
      <Show when={told().size < props.maps.length}>
        <p class="muted small">Maps with the same name, or with none, cannot be told apart: rename or remove one.</p>
      </Show>
    </Show>
  );
}

/** The maps whose name tells them apart from the others. A text may not say its registry. */
function toldApart(maps: ScopeMapDraft[]): Set<ScopeMapDraft> {
  const alike = Map.groupBy(maps, ({ name }) => name.toLowerCase());
  const isTold = (map: ScopeMapDraft) =>
    map.name !== "" && alike.get(map.name.toLowerCase())?.filter((other) => isSameMap(other, map)).length === 1;
  return new Set(maps.filter(isTold));
}
