/** The scope maps of the page. */

import { Index, type JSX } from "solid-js";
import { blankMap } from "../state/model";
import type { Playground } from "../state/playground";
import { MapCard } from "./MapCard";

export function Maps(props: { playground: Playground }): JSX.Element {
  const { playground } = props;
  let add: HTMLButtonElement | undefined;

  function undo() {
    playground.undo();
    // After the last one the button is gone.
    if (!playground.canUndo()) add?.focus();
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
        {playground.canUndo() && (
          <button type="button" class="quiet" onClick={undo}>
            Undo
          </button>
        )}
      </div>
    </>
  );
}

function structuredMaps(playground: Playground) {
  return playground.model.maps.map((map) => ({ ...map, actions: [...map.actions] }));
}
