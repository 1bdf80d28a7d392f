/** What the page itself has to say: a link that it cannot read, and what was here before. */

import { createEffect, type JSX, on, Show } from "solid-js";
import type { Address } from "../state/address";
import type { Memory } from "../state/memory";
import { announce } from "./announce";
import "./notices.css";

const kept = "Your previous work was saved.";

export function Notices(props: { memory: Memory; address: Address }): JSX.Element {
  createEffect(on(props.memory.hasBefore, (has) => has && announce(kept)));
  return (
    <>
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
      <Show when={props.memory.hasBefore()}>
        <p class="notice kept">
          <span>{kept}</span>
          <button type="button" class="quiet" onClick={() => props.memory.bringBack()}>
            Restore
          </button>
          <button type="button" class="quiet" onClick={() => props.memory.dismiss()}>
            Dismiss
          </button>
        </p>
      </Show>
    </>
  );
}
