/** Where one adds a rule without opening the editor: as it is, in short, or by what may be done. */

import { createSignal, createUniqueId, For, type JSX, Show } from "solid-js";
import { actions } from "../engine";
import { isPattern, rulesFrom } from "../state/shorthand";
import { announce } from "./announce";

export function RuleField(props: { add: (rules: string[]) => void }): JSX.Element {
  const id = createUniqueId();
  const [text, setText] = createSignal("");
  const [chosen, setChosen] = createSignal<string[]>(["pull"]);
  const choose = (action: string, isChosen: boolean) =>
    setChosen(actions().filter((one) => (one === action ? isChosen : chosen().includes(one))));

  /** The button goes with what it did. */
  function withPull(event: { currentTarget: HTMLButtonElement }) {
    const { form } = event.currentTarget;
    choose("pull", true);
    form?.querySelector<HTMLElement>("[type=checkbox]:checked")?.focus();
  }

  function add(event: SubmitEvent) {
    event.preventDefault();
    const rules = rulesFrom(text(), chosen());
    if (rules.length === 0) return;
    props.add(rules);
    announce(rules.length === 1 ? "Rule added" : `${rules.length} rules added`);
    setText("");
  }

  return (
    <form class="stack" onSubmit={add}>
      <div class="row">
        <label class="visually-hidden" for={id}>
          Add rules
        </label>
        <input
          id={id}
          class="mono"
          type="text"
          spellcheck={false}
          autocapitalize="off"
          autocomplete="off"
          placeholder="team/* pull, or repositories/samples/*/content/read"
          value={text()}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="submit">Add</button>
      </div>
      <Show when={isPattern(text().trim())}>
        <fieldset class="row boxes">
          <legend class="small muted">What may be done with {text().trim()}</legend>
          <For each={actions()}>
            {(action) => (
              <label>
                <input
                  type="checkbox"
                  checked={chosen().includes(action)}
                  onChange={(event) => choose(action, event.currentTarget.checked)}
                />
                {action.replace("_", " ")}
              </label>
            )}
          </For>
          <Show when={chosen().includes("push") && !chosen().includes("pull")}>
            <button type="button" class="quiet" onClick={withPull}>
              + pull, which a push needs
            </button>
          </Show>
        </fieldset>
      </Show>
    </form>
  );
}
