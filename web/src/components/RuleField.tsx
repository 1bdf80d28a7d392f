/** Where one adds a rule without opening the editor. */

import { createSignal, type JSX } from "solid-js";
import type { Playground } from "../state/playground";

export function RuleField(props: { playground: Playground; index: number }): JSX.Element {
  const [text, setText] = createSignal("");
  const id = () => `rule-${props.index}`;

  function add(event: SubmitEvent) {
    event.preventDefault();
    const action = text().trim();
    if (action === "") return;
    const { actions } = props.playground.model.maps[props.index] ?? { actions: [] };
    props.playground.write(props.index, [...actions, action]);
    setText("");
  }

  return (
    <form class="row" onSubmit={add}>
      <label class="visually-hidden" for={id()}>
        add a rule
      </label>
      <input
        id={id()}
        class="mono"
        type="text"
        spellcheck={false}
        autocapitalize="off"
        autocomplete="off"
        placeholder="repositories/samples/*/content/read"
        value={text()}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit">Add</button>
    </form>
  );
}
