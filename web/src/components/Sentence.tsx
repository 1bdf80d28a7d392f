/** A sentence in which what stands in backticks is set as code. */

import { For, type JSX } from "solid-js";

export function Sentence(props: { text: string }): JSX.Element {
  const pieces = () => props.text.split("`");
  return <For each={pieces()}>{(piece, place) => (place() % 2 === 1 ? <code>{piece}</code> : piece)}</For>;
}
