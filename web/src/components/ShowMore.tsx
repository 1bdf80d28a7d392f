/** The button that shows the next part of a long list. It goes with the last part. */

import { type JSX, Show } from "solid-js";

export function ShowMore(props: {
  all: number;
  shown: number;
  /** How many are shown next. */
  page: number;
  /** What they are, in the plural. */
  of: string;
  show: () => void;
  /** Takes the focus after the last part. */
  end: () => void;
}): JSX.Element {
  function press() {
    props.show();
    if (props.shown >= props.all) props.end();
  }

  return (
    <Show when={props.all > props.shown}>
      <button type="button" class="quiet" onClick={press}>
        Show {Math.min(props.page, props.all - props.shown).toLocaleString("en")} more of{" "}
        {props.all.toLocaleString("en")} {props.of}
      </button>
    </Show>
  );
}
