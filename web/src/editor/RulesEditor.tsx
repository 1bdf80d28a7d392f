/** The rules of a map as text, one a line, in CodeMirror. Loaded on demand. */

import { createEffect, type JSX, on, onCleanup, onMount } from "solid-js";
import { createEditor, type Said } from "./editor";

export default function RulesEditor(props: {
  actions: string[];
  /** Asked when the lines are marked: not at each key. */
  said: () => Said;
  write: (actions: string[]) => void;
}): JSX.Element {
  let host: HTMLDivElement | undefined;

  onMount(() => {
    if (!host) return;
    const editor = createEditor(host, props.actions.join("\n"), (text) => props.write(lines(text)));
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

  return <div class="editor" ref={host} />;
}

function lines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
