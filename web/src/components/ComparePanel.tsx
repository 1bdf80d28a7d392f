/** Two maps compared by what they grant: what is gained and lost, with a repository to prove each. Not a comparison of texts. */

import { createMemo, createSignal, For, type JSX, Show } from "solid-js";
import { attempt } from "../engine";
import { loadYaml } from "../recognise";
import { parseActions } from "../state/actions";
import type { Playground } from "../state/playground";
import { Mark } from "./Mark";
import { More } from "./More";

/** More are counted, and not drawn. */
const MOST_SHOWN = 200;

export function ComparePanel(props: { playground: Playground }): JSX.Element {
  const { playground } = props;
  const old = () => playground.model.old;
  const differences = createMemo(() => {
    const compared = attempt(() => playground.compiled().principal.difference(playground.old().principal));
    return compared.kind === "value" ? compared.value : [];
  });
  const invalid = () =>
    playground
      .old()
      .reports(0)
      .filter((report) => report.problem !== null);

  /** What is being typed; what is kept of it are its rules. */
  const [typed, setTyped] = createSignal<string | null>(null);

  function write(text: string) {
    const put = () => playground.set("old", { name: "", registry: "", description: "", ...parseActions(text) });
    put();
    const written = old();
    // A text that is YAML waits for its reader, and what was written meanwhile stays.
    void loadYaml().then(
      () => old() === written && put(),
      () => undefined,
    );
  }

  function keepAsOld() {
    const map = playground.model.maps.flatMap((map) => map.actions);
    playground.set("old", {
      name: playground.model.maps[0]?.name ?? "",
      registry: "",
      description: "",
      actions: [...map],
    });
  }

  return (
    <div class="stack">
      <div class="row spread">
        <label for="old">The map before</label>
        <div class="row">
          <button type="button" class="quiet" onClick={keepAsOld}>
            Take the current one
          </button>
          <Show when={old()}>
            <button type="button" class="quiet" onClick={() => playground.set("old", null)}>
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
        placeholder="paste the other map, in any form; the map on the left is the one after"
        value={typed() ?? (old()?.actions ?? []).join("\n")}
        onInput={(event) => {
          setTyped(event.currentTarget.value);
          write(event.currentTarget.value);
        }}
        onChange={() => setTyped(null)}
        onPaste={(event) => {
          const text = event.clipboardData?.getData("text");
          if (!text || event.currentTarget.value !== "") return;
          event.preventDefault();
          write(text);
        }}
      />
      <For each={invalid().slice(0, MOST_SHOWN)}>
        {(report) => (
          <p class="problem small">
            <code>{report.text}</code> grants nothing: {report.problem?.message}
          </p>
        )}
      </For>
      <More all={invalid().length} shown={MOST_SHOWN} />
      <Show when={old()} fallback={<p class="muted">Nothing to compare with yet.</p>}>
        <Show
          when={differences().length > 0}
          fallback={
            <p class="verdict small-verdict">
              <Mark sign="allowed" />
              <span>Both maps grant the same, on every repository there could be.</span>
            </p>
          }
        >
          <table class="differences">
            <thead>
              <tr>
                <th scope="col">On</th>
                <th scope="col">Gained</th>
                <th scope="col">Lost</th>
                <th scope="col">For example</th>
              </tr>
            </thead>
            <tbody>
              <For each={differences().slice(0, MOST_SHOWN)}>
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
          <More all={differences().length} shown={MOST_SHOWN} />
        </Show>
      </Show>
    </div>
  );
}

function signed(sign: string, actions: string[]): string {
  return actions.map((action) => `${sign}${action}`).join(" ");
}
