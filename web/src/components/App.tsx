/** The page: what one has on the left, what it can do on the right. */

import { type JSX, Show } from "solid-js";
import type { Address } from "../state/address";
import type { Paste } from "../state/paste";
import type { Playground } from "../state/playground";
import { AnswerCard } from "./AnswerCard";
import { Footer } from "./Footer";
import { Header } from "./Header";
import { Maps } from "./Maps";
import { Matrix } from "./Matrix";
import { Panels } from "./Panels";
import { PasteField } from "./PasteField";

export function App(props: { playground: Playground; paste: Paste; address: Address }): JSX.Element {
  return (
    <>
      <a class="skip" href="#answer">
        Skip to the answer
      </a>
      <Header playground={props.playground} paste={props.paste} address={props.address} />
      <Show when={props.address.notice()}>
        {(notice) => (
          <p class="notice" role="alert">
            <span>{notice()}</span>
            <button type="button" class="quiet" onClick={() => props.address.dismiss()}>
              Dismiss
            </button>
          </p>
        )}
      </Show>
      <main class="page">
        <div class="column">
          <PasteField playground={props.playground} paste={props.paste} />
          <Maps playground={props.playground} />
        </div>
        <div class="column">
          <AnswerCard playground={props.playground} />
          <Matrix playground={props.playground} />
          <Panels playground={props.playground} />
        </div>
      </main>
      <Footer playground={props.playground} paste={props.paste} />
    </>
  );
}
