/** Which engine answers, where what is typed goes (nowhere), and a way to forget it. */

import { createEffect, type JSX, on, Show } from "solid-js";
import { version } from "../engine";
import { digest } from "../engine/digest";
import type { Memory } from "../state/memory";
import { announce } from "./announce";
import "./footer.css";

const lost = "Your browser isn't saving this page. Your work will be lost when you close it.";

export function Footer(props: { memory: Memory }): JSX.Element {
  createEffect(on(props.memory.isKept, (isKept) => isKept || announce(lost), { defer: true }));
  return (
    <footer class="bottom small">
      <p>
        Nothing you enter leaves your browser. This page can't make network requests.{" "}
        <Show when={props.memory.isKept()} fallback={<strong class="remark">{lost}</strong>}>
          Your input is saved in this browser only, without passwords or token signatures.
        </Show>
      </p>
      <button type="button" class="quiet" onClick={() => deleteSavedData(props.memory)}>
        Delete saved data
      </button>
      <details class="muted">
        <summary>Engine {version()}</summary>
        <code class="break">sha256:{digest}</code>
      </details>
    </footer>
  );
}

export function deleteSavedData(memory: Memory): void {
  memory.forget();
  history.replaceState(null, "", location.pathname + location.search);
  announce("Saved data deleted.");
}
