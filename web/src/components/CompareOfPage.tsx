/** Two maps of the page compared, or one of them with a map that is pasted to be compared with. */

import { createMemo, For, type JSX, Show } from "solid-js";
import { attempt, type RuleReport } from "../engine";
import { comparedIndex, comparedMap, comparedName, PASTED, type Side } from "../state/compared";
import { hostAsked, type ScopeMapDraft } from "../state/model";
import type { Playground } from "../state/playground";
import { AccessDiff } from "./AccessDiff";
import { announce } from "./announce";
import { MapField } from "./MapField";
import { More } from "./More";

/** More are counted, and not drawn. */
const MAX_SHOWN = 200;

export function CompareOfPage(props: { playground: Playground }): JSX.Element {
  const { playground } = props;
  const { model } = playground;
  const indexOf = (side: Side) => comparedIndex(model, side);
  const isPasted = () => indexOf("before") === PASTED || indexOf("after") === PASTED;
  /** Whether both of them are there. */
  const areThere = () => model.old !== null || !isPasted();
  /** Whether it is the map after that is pasted. */
  const isNew = () => indexOf("after") === PASTED;
  const differences = createMemo(() => {
    const { before, after } = playground.compared;
    const compared = attempt(() => after().principal.difference(before().principal));
    return compared.kind === "value" ? compared.value : [];
  });
  const invalid = () =>
    [playground.compared.before(), playground.compared.after()]
      .flatMap(({ reports }) => reports(0))
      .filter((report) => report.problem !== null);
  const compared = (side: Side) => ({
    name: comparedName(model, indexOf(side)),
    actions: [...(comparedMap(model, side)?.actions ?? [])],
  });

  function write(map: ScopeMapDraft | null) {
    playground.set("old", map);
    if (map !== null && !isPasted()) playground.set("compare", "before", PASTED);
  }

  return (
    <div class="stack">
      <div class="fields">
        <MapPicker
          label="Before"
          names={names(playground)}
          chosen={indexOf("before")}
          choose={(index) => playground.set("compare", "before", index)}
        />
        <MapPicker
          label="After"
          names={names(playground)}
          chosen={indexOf("after")}
          choose={(index) => playground.set("compare", "after", index)}
        />
      </div>
      <Show when={areThere()}>
        <div class="row">
          <button type="button" class="quiet" onClick={() => swap(playground)}>
            Swap before and after
          </button>
        </div>
      </Show>
      <MapField
        label={fieldLabel(isPasted(), indexOf("after"))}
        placeholder={`Paste the ${isNew() ? "new" : "old"} scope map (any format).`}
        map={model.old}
        write={write}
      >
        <Show when={indexOf("after") !== PASTED}>
          <button type="button" class="quiet" onClick={() => keepAsOld(playground)}>
            Use current map as "before"
          </button>
        </Show>
        <Show when={model.old}>
          <button type="button" class="quiet" onClick={(event) => removeOld(playground, event.currentTarget)}>
            Remove
          </button>
        </Show>
      </MapField>
      <Invalid reports={invalid()} />
      <Show
        when={areThere()}
        fallback={<p class="muted">Paste {isNew() ? "a newer" : "an older"} version to see what changed.</p>}
      >
        <AccessDiff
          before={compared("before")}
          after={compared("after")}
          differences={differences()}
          ask={(repository, actions) =>
            playground.ask({
              kind: "scope",
              text: `repository:${repository}:${actions.join(",")}`,
              registry: hostAsked(model.question),
            })
          }
        />
      </Show>
    </div>
  );
}

function MapPicker(props: {
  label: string;
  names: { index: number; name: string }[];
  chosen: number;
  choose: (index: number) => void;
}): JSX.Element {
  return (
    <label>
      <span>{props.label}</span>
      <select value={String(props.chosen)} onChange={(event) => props.choose(Number(event.currentTarget.value))}>
        <For each={props.names}>
          {({ index, name }) => (
            <option value={String(index)} selected={index === props.chosen}>
              {name}
            </option>
          )}
        </For>
      </select>
    </label>
  );
}

function Invalid(props: { reports: RuleReport[] }): JSX.Element {
  return (
    <>
      <For each={props.reports.slice(0, MAX_SHOWN)}>
        {(report) => (
          <p class="problem small">
            <code>{report.text}</code> has no effect: {report.problem?.message}
          </p>
        )}
      </For>
      <More all={props.reports.length} shown={MAX_SHOWN} />
    </>
  );
}

function names({ model }: Playground) {
  return [...model.maps.keys(), PASTED].map((index) => ({ index, name: comparedName(model, index) }));
}

/** Which of the two the field holds. */
function fieldLabel(isPasted: boolean, after: number): string {
  if (!isPasted) return "Another map";
  return after === PASTED ? "The map after" : "The map before";
}

function swap(playground: Playground): void {
  const [before, after] = [comparedIndex(playground.model, "after"), comparedIndex(playground.model, "before")];
  playground.set("compare", { before, after });
  announce(`Comparing ${comparedName(playground.model, before)} with ${comparedName(playground.model, after)}.`);
}

function keepAsOld(playground: Playground): void {
  const map = playground.model.maps[comparedIndex(playground.model, "after")];
  playground.set("old", { name: map?.name ?? "", registry: "", description: "", actions: [...(map?.actions ?? [])] });
  playground.set("compare", "before", PASTED);
}

/** The button goes with the map, and the focus goes to where another one is pasted. */
function removeOld(playground: Playground, button: HTMLElement): void {
  button.closest(".stack")?.querySelector("textarea")?.focus();
  playground.set("old", null);
  playground.set("compare", { before: null, after: null });
}
