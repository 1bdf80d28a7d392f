/** A sentence in which what is in backticks is set as code. */

import { For, type JSX } from "solid-js";

export function Sentence(props: { text: string }): JSX.Element {
  const pieces = () => props.text.split("`");
  return <For each={pieces()}>{(piece, index) => (index() % 2 === 1 ? <code>{piece}</code> : piece)}</For>;
}
