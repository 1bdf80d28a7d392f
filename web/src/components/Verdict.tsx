/** The answer in one sentence, set so that it is read first, and what else has to be known. */

import { For, type JSX, Show } from "solid-js";
import type { Card } from "../state/card";
import { Mark, type Sign } from "./Mark";
import { Sentence } from "./Sentence";
import "./verdict.css";

export function Verdict(props: { card: Card; note?: string; children?: JSX.Element }): JSX.Element {
  return (
    <div class="verdict-band" data-tone={props.card.tone}>
      <Show when={props.note}>{(note) => <p class="stale-note">{note()}</p>}</Show>
      <h3 class="verdict-title">
        <Show when={props.card.word}>
          {(word) => (
            <span class="verdict-word">
              <Mark sign={signOf(props.card.tone)} />
              <strong>{word()}</strong>
              <span class="visually-hidden">: </span>
            </span>
          )}
        </Show>
        <span class="headline">
          <Sentence text={props.card.headline} />
        </span>
      </h3>
      <Sentences texts={props.card.details} />
      {props.children}
    </div>
  );
}

export function Sentences(props: { texts: string[] }): JSX.Element {
  return (
    <For each={props.texts}>
      {(text) => (
        <p class="sentence">
          <Sentence text={text} />
        </p>
      )}
    </For>
  );
}

function signOf(tone: Card["tone"]): Sign {
  return tone === "unsure" || tone === "neutral" ? "note" : tone;
}
