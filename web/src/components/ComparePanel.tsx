/**
 * Two maps compared by what they grant: what is gained and lost, with a repository to prove each.
 * Not a comparison of texts.
 *
 * Each result says which two they are. Maps on the page are chosen; another one is
 * pasted.
 */

import { createMemo, createSignal, For, type JSX, Show } from "solid-js";
import { attempt } from "../engine";
import { loadYaml } from "../recognise";
import { readMap } from "../state/actions";
import { byWeight, comparedIndex, comparedMap, comparedName, PASTED, type Side } from "../state/compared";
import type { Playground } from "../state/playground";
import { CopyButton } from "./Code";
import { Mark } from "./Mark";
import { More } from "./More";
import { Sentence } from "./Sentence";

/** More are counted, and not drawn. */
const MAX_SHOWN = 200;

/** The writers are loaded when one is wanted. */
const cards = () => import("../cards");

export function ComparePanel(props: { playground: Playground }): JSX.Element {
  const { playground } = props;
  const old = () => playground.model.old;
  const indexOf = (side: Side) => comparedIndex(playground.model, side);
  const isPasted = () => indexOf("before") === PASTED || indexOf("after") === PASTED;
  /** Whether both of them are there. */
  const areThere = () => old() !== null || !isPasted();
  const title = () =>
    `\`${comparedName(playground.model, indexOf("before"))}\` → \`${comparedName(playground.model, indexOf("after"))}\``;
  const differences = createMemo(() => {
    const { before, after } = playground.compared;
    const compared = attempt(() => after().principal.difference(before().principal));
    return compared.kind === "value" ? byWeight(compared.value) : [];
  });
  const invalid = () =>
    [playground.compared.before(), playground.compared.after()]
      .flatMap(({ reports }) => reports(0))
      .filter((report) => report.problem !== null);

  /** What is being typed; what is kept of it are its rules. */
  const [typed, setTyped] = createSignal<string | null>(null);
  /** The names of several maps in the field, none of which is taken. */
  const [several, setSeveral] = createSignal<string[]>([]);

  function write(text: string) {
    const apply = () => {
      const read = readMap(text);
      setSeveral(read.kind === "several" ? read.names : []);
      const { name, actions } = read.kind === "map" ? read : { name: "", actions: null };
      playground.set("old", actions && { name, registry: "", description: "", actions });
    };
    apply();
    if (text.trim() !== "" && !isPasted()) playground.set("compare", "before", PASTED);
    const written = old();
    // A text that is YAML waits for its reader, and what was written meanwhile stays.
    void loadYaml().then(
      () => old() === written && apply(),
      () => undefined,
    );
  }

  function keepAsOld() {
    const map = playground.model.maps[indexOf("after")];
    playground.set("old", { name: map?.name ?? "", registry: "", description: "", actions: [...(map?.actions ?? [])] });
    playground.set("compare", "before", PASTED);
  }

  const review = async () =>
    (await cards()).forReview({
      before: comparedName(playground.model, indexOf("before")),
      after: comparedName(playground.model, indexOf("after")),
      rows: differences(),
    });
  const named = (side: Side) => ({
    name: comparedName(playground.model, indexOf(side)),
    actions: [...(comparedMap(playground.model, side)?.actions ?? [])],
  });
  const check = async () => (await cards()).forCi(named("before"), named("after"));

  function remove() {
    setSeveral([]);
    setTyped(null);
    playground.set("old", null);
    playground.set("compare", { before: null, after: null });
  }

  return (
    <div class="stack">
      <div class="fields">
        <MapPicker playground={playground} side="before" name="Before" />
        <MapPicker playground={playground} side="after" name="After" />
      </div>
      <div class="row spread">
        <label for="old">{isPasted() ? pastedLabel(indexOf("after")) : "Another map"}</label>
        <div class="row">
          <Show when={indexOf("after") !== PASTED}>
            <button type="button" class="quiet" onClick={keepAsOld}>
              Use current map as "before"
            </button>
          </Show>
          <Show when={old()}>
            <button type="button" class="quiet" onClick={remove}>
              Remove
            </button>
          </Show>
        </div>
      </div>
      <textarea
        id="old"
        class="mono"
        rows="5"
        spellcheck={false}
        placeholder="Paste the old scope map (any format)."
        value={typed() ?? (old()?.actions ?? []).join("\n")}
        onInput={(event) => {
          setTyped(event.currentTarget.value);
          write(event.currentTarget.value);
        }}
        onChange={() => several().length === 0 && setTyped(null)}
        onPaste={(event) => {
          const text = event.clipboardData?.getData("text");
          if (!text || event.currentTarget.value !== "") return;
          event.preventDefault();
          write(text);
          if (several().length > 0) setTyped(text);
        }}
      />
      <Show when={several().length > 0}>
        <p class="problem small">
          This text has {several().length.toLocaleString("en")} scope maps. A token has one of them: keep one here.
        </p>
      </Show>
      <For each={invalid().slice(0, MAX_SHOWN)}>
        {(report) => (
          <p class="problem small">
            <code>{report.text}</code> has no effect: {report.problem?.message}
          </p>
        )}
      </For>
      <More all={invalid().length} shown={MAX_SHOWN} />
      <Show when={areThere()} fallback={<p class="muted">Paste an older version to see what changed.</p>}>
        <h3>
          <Sentence text={title()} />
        </h3>
        <div class="row">
          <CopyButton class="" text={review} label="the comparison as Markdown" name="Copy as PR comment" />
          <CopyButton class="" text={check} label="the check for CI" name="Copy as CI check" />
        </div>
        <Show
          when={differences().length > 0}
          fallback={
            <p class="verdict small-verdict">
              <Mark sign="allowed" />
              <span>No difference: both grant exactly the same access.</span>
            </p>
          }
        >
          <table class="differences">
            <thead>
              <tr>
                <th scope="col">Repositories</th>
                <th scope="col">Added</th>
                <th scope="col">Removed</th>
                <th scope="col">Example</th>
              </tr>
            </thead>
            <tbody>
              <For each={differences().slice(0, MAX_SHOWN)}>
                {(difference) => (
                  <tr>
                    <th scope="row" class="mono">
                      {difference.pattern}
                    </th>
                    <td class="gained">{signed("+", difference.gained)}</td>
                    <td class="lost">{signed("−", difference.lost)}</td>
                    <td>
                      <button
                        type="button"
                        class="quiet mono"
                        onClick={() =>
                          playground.ask({
                            kind: "scope",
                            text: `repository:${difference.witness}:${[...difference.gained, ...difference.lost].join(",")}`,
                          })
                        }
                      >
                        {difference.witness}
                      </button>
                    </td>
                  </tr>
                )}
              </For>
            </tbody>
          </table>
          <More all={differences().length} shown={MAX_SHOWN} />
        </Show>
      </Show>
    </div>
  );
}

function MapPicker(props: { playground: Playground; side: Side; name: string }): JSX.Element {
  const model = () => props.playground.model;
  const indices = () => [...model().maps.keys(), PASTED];
  return (
    <label>
      <span>{props.name}</span>
      <select
        value={String(comparedIndex(model(), props.side))}
        onChange={(event) => props.playground.set("compare", props.side, Number(event.currentTarget.value))}
      >
        <For each={indices()}>
          {(index) => (
            <option value={String(index)} selected={index === comparedIndex(model(), props.side)}>
              {comparedName(model(), index)}
            </option>
          )}
        </For>
      </select>
    </label>
  );
}

/** Which of the two the field holds. */
function pastedLabel(after: number): string {
  return after === PASTED ? "The map after" : "The map before";
}

function signed(sign: string, actions: string[]): string {
  return actions.map((action) => `${sign}${action}`).join(" ");
}
