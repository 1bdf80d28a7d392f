/**
 * What of a long list is not shown, in a word: so long a list is not read, and it would cost
 * frames.
 */

import { type JSX, Show } from "solid-js";

export function More(props: { all: number; shown: number }): JSX.Element {
  return (
    <Show when={props.all > props.shown}>
      <p class="muted">… and {(props.all - props.shown).toLocaleString("en")} more</p>
    </Show>
  );
}
