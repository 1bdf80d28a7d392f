/** The scope maps of the page. */

import { Index, type JSX, Show } from "solid-js";
import type { History } from "../state/history";
import { blankMap } from "../state/model";
import type { Playground } from "../state/playground";
import { MapCard } from "./MapCard";

export function Maps(props: { playground: Playground; history: History }): JSX.Element {
  const { playground } = props;
  let add: HTMLButtonElement | undefined;

  /** After the last one the button is gone. */
  function go(does: () => void, isMore: () => boolean) {
    does();
    if (!isMore()) add?.focus();
  }

  return (
    <>
      <Index each={playground.model.maps}>
        {(map, index) => <MapCard playground={playground} map={map()} index={index} />}
      </Index>
      <div class="row">
        <button
          type="button"
          class="quiet"
          ref={add}
          onClick={() => playground.replaceMaps([...structuredMaps(playground), blankMap()])}
        >
          Add another scope map
        </button>
        <Show when={props.history.canUndo()}>
          <button type="button" class="quiet" onClick={() => go(props.history.undo, props.history.canUndo)}>
            Undo
          </button>
        </Show>
        <Show when={props.history.canRedo()}>
          <button type="button" class="quiet" onClick={() => go(props.history.redo, props.history.canRedo)}>
            Redo
          </button>
        </Show>
      </div>
    </>
  );
}

function structuredMaps(playground: Playground) {
  return playground.model.maps.map((map) => ({ ...map, actions: [...map.actions] }));
}
