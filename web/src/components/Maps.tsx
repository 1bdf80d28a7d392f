/** The scope maps of the page. */

import { Index, type JSX, Show } from "solid-js";
import { comparedName, withoutMap } from "../state/compared";
import type { History } from "../state/history";
import { blankMap, type Model, type ScopeMapDraft } from "../state/model";
import type { Playground } from "../state/playground";
import type { Pointing } from "../state/pointing";
import { systemMap } from "../state/system";
import { MapCard } from "./MapCard";
import { More } from "./More";

/** More cards would cost seconds, and are not read. All maps are decided with. */
const MAX_SHOWN = 50;

export function Maps(props: { playground: Playground; history: History; pointing: Pointing }): JSX.Element {
  const { playground } = props;
  let add: HTMLButtonElement | undefined;

  /** After the last one the button is gone. */
  function go(does: () => void, isMore: () => boolean) {
    does();
    if (!isMore()) add?.focus();
  }

  return (
    <>
      <Index each={playground.model.maps.slice(0, MAX_SHOWN)}>
        {(map, index) => (
          <MapCard
            map={map()}
            title={called(playground.model, index)}
            said={saidOf(playground, index)}
            rename={(field, text) => rename(playground, index, field, text)}
            write={(actions, isTyped) => playground.write(index, actions, isTyped)}
            remove={playground.model.maps.length > 1 ? () => remove(playground, index) : undefined}
            isLit={props.pointing.isRuleLit}
            point={(text) => props.pointing.point(text === null ? null : { kind: "rule", text })}
          />
        )}
      </Index>
      <More all={playground.model.maps.length} shown={MAX_SHOWN} />
      <div class="row">
        <button
          type="button"
          class="quiet"
          ref={add}
          onClick={() => playground.replaceMaps([...structuredMaps(playground), blankMap()])}
        >
          Add scope map
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

/** Each of several maps has a name of its own on the page. */
function called(model: Model, index: number): string {
  const isAlone = model.maps.length === 1 && model.maps[0]?.name === "";
  return isAlone ? "Scope map" : `Scope map: ${comparedName(model, index)}`;
}

/** What the engine says of the rules that are there now, read on demand. */
function saidOf({ policy }: Playground, index: number) {
  const { reports, findings } = policy();
  return () => ({ reports: reports(index), findings: findings(index) });
}

function rename(playground: Playground, index: number, field: keyof ScopeMapDraft, text: string): void {
  playground.set("maps", index, field, text);
  // A map of the registry's own is known by its name.
  const isEmpty = playground.model.maps[index]?.actions.length === 0;
  const known = field === "name" && isEmpty ? systemMap(text) : null;
  if (known) playground.write(index, known.actions);
}

function remove(playground: Playground, index: number): void {
  playground.set("compare", withoutMap(playground.model.compare, index));
  playground.replaceMaps(structuredMaps(playground).filter((_, other) => other !== index));
}
