/** The rules of a map as text, one a line, in CodeMirror. Loaded when somebody wants it. */

import { createEffect, type JSX, on, onCleanup, onMount } from "solid-js";
import { createEditor, type Said } from "./editor";

export default function RulesEditor(props: {
  actions: string[];
  /** Asked when the lines are marked: not at each key. */
  said: () => Said;
  write: (actions: string[]) => void;
}): JSX.Element {
  let place: HTMLDivElement | undefined;

  onMount(() => {
    if (!place) return;
    const editor = createEditor(place, props.actions.join("\n"), (text) => props.write(lines(text)));
    createEffect(
      on(
        () => props.actions.join("\n"),
        (text) => editor.show(text),
        { defer: true },
      ),
    );
    createEffect(() => editor.mark(props.said));
    editor.focus();
    onCleanup(editor.destroy);
  });

  return <div class="editor" ref={place} />;
}

function lines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
