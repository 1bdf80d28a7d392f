/** The page: what one has on the left, what it can do on the right. */

import { type JSX, Show } from "solid-js";
import { createPointing } from "../state/pointing";
import { AnswerCard } from "./AnswerCard";
import { Footer } from "./Footer";
import { Header } from "./Header";
import { Maps } from "./Maps";
import { Matrix } from "./Matrix";
import { Notices } from "./Notices";
import { createNarrow } from "./narrow";
import { openExample } from "./open-example";
import { Panels } from "./Panels";
import { PasteField } from "./PasteField";
import type { PageParts } from "./parts";
import { goTo } from "./places";
import { Toast } from "./Toast";

/** No link: the address holds the page, and nothing else. */
function skip(): void {
  goTo("answer");
}

export function App(props: PageParts): JSX.Element {
  const narrow = createNarrow();
  const pointing = createPointing(props.playground);
  /** A link opens as an answer: it is the first of the page, and as wide. */
  const where = () => (props.address.isOpened() ? "above" : narrow() ? "between" : "beside");
  const answer = () => (
    <AnswerCard
      playground={props.playground}
      stale={props.paste.isStale()}
      link={() => props.address.share()}
      openExample={() => openExample(props.memory, props.paste)}
    />
  );
  return (
    <>
      <button type="button" class="skip" onClick={skip}>
        Skip to answer
      </button>
      <Header {...props} />
      <Notices memory={props.memory} address={props.address} />
      {/* For eyes and for keys alike: what was pasted, its answer, the rest. */}
      <main class="page" data-above={where() === "above" ? "" : undefined}>
        <Show when={where() === "above"}>
          <div class="column wide">{answer()}</div>
        </Show>
        <div class="column left">
          <PasteField playground={props.playground} paste={props.paste} />
        </div>
        <Show when={narrow()}>
          <Show when={where() === "between"}>{answer()}</Show>
          <div class="column">
            <Maps playground={props.playground} history={props.history} pointing={pointing} />
          </div>
        </Show>
        <div class="column right">
          <Show when={where() === "beside"}>{answer()}</Show>
          <Matrix playground={props.playground} pointing={pointing} />
          <Panels playground={props.playground} pointing={pointing} />
        </div>
        <Show when={!narrow()}>
          <div class="column left">
            <Maps playground={props.playground} history={props.history} pointing={pointing} />
          </div>
        </Show>
      </main>
      <Footer memory={props.memory} />
      <Toast text={props.history.removed()} undo={props.history.undo} dismiss={props.history.dismiss} />
    </>
  );
}
