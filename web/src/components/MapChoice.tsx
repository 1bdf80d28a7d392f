/**
 * Which of the scope maps on the page the token has: asked where several could be, since it changes
 * the answer.
 */

import { createMemo, For, type JSX, Show } from "solid-js";
import { isSameMap, writtenMaps } from "../state/candidates";
import type { ScopeMapDraft } from "../state/model";
import type { Playground } from "../state/playground";

export function MapChoice(props: { playground: Playground }): JSX.Element {
  const model = () => props.playground.model;
  const maps = createMemo(() =>
    model().profile === "acr" && model().whose === "maps" ? writtenMaps(model().maps) : [],
  );
  const chosen = createMemo(() => {
    const [only, ...others] = props.playground.deciding();
    const isChosen = only !== undefined && others.length === 0 && model().token.scopeMap !== "";
    return isChosen ? maps().indexOf(only) : -1;
  });

  function choose(index: number) {
    const map = maps()[index];
    props.playground.set("token", { scopeMap: map?.name ?? "", registry: map?.registry || model().token.registry });
  }

  return (
    <Show when={maps().length > 1}>
      <div class="row map-choice">
        <label>
          <span>The token uses the scope map</span>
          <select onChange={(event) => choose(Number(event.currentTarget.value))}>
            <option value="-1" selected={chosen() === -1}>
              not known
            </option>
            <For each={maps()}>
              {(map, index) => (
                <option value={String(index())} selected={index() === chosen()} disabled={!isTold(map, maps())}>
                  {map.name || "the unnamed map"}
                </option>
              )}
            </For>
          </select>
        </label>
        <button type="button" class="quiet" onClick={() => props.playground.set("panel", "compare")}>
          Compare them
        </button>
      </div>
      <Show when={maps().some((map) => !isTold(map, maps()))}>
        <p class="muted small">Maps with the same name, or with none, cannot be told apart: rename or remove one.</p>
      </Show>
    </Show>
  );
}

/** Whether its name tells the map apart from the others. */
function isTold(map: ScopeMapDraft, maps: ScopeMapDraft[]): boolean {
  return map.name !== "" && maps.filter((other) => isSameMap(other, map)).length === 1;
}
