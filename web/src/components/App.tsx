/** The page: what one has on the left, what it can do on the right. */

import { type JSX, Show } from "solid-js";
import type { Address } from "../state/address";
import type { Memory } from "../state/memory";
import type { Paste } from "../state/paste";
import type { Playground } from "../state/playground";
import { AnswerCard } from "./AnswerCard";
import { Footer } from "./Footer";
import { Header } from "./Header";
import { Maps } from "./Maps";
import { Matrix } from "./Matrix";
import { Notices } from "./Notices";
import { createNarrow } from "./narrow";
import { Panels } from "./Panels";
import { PasteField } from "./PasteField";

/** No link: the address holds the page, and nothing else. */
function skip(): void {
  document.getElementById("answer")?.focus();
}

export function App(props: { playground: Playground; paste: Paste; memory: Memory; address: Address }): JSX.Element {
  const narrow = createNarrow();
  return (
    <>
      <button type="button" class="skip" onClick={skip}>
        Skip to the answer
      </button>
      <Header playground={props.playground} paste={props.paste} memory={props.memory} address={props.address} />
      <Notices memory={props.memory} address={props.address} />
      <main class="page">
        <div class="column">
          <PasteField playground={props.playground} paste={props.paste} />
          {/* In one column, what one came for stands before what one has. */}
          <Show when={narrow()}>
            <AnswerCard playground={props.playground} stale={props.paste.isStale()} />
          </Show>
          <Maps playground={props.playground} />
        </div>
        <div class="column">
          <Show when={!narrow()}>
            <AnswerCard playground={props.playground} stale={props.paste.isStale()} />
          </Show>
          <Matrix playground={props.playground} />
          <Panels playground={props.playground} />
        </div>
      </main>
      <Footer memory={props.memory} />
    </>
  );
}
