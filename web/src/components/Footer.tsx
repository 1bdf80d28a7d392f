/** Which engine answers, where what is typed goes (nowhere), and a way to forget it. */

import { createEffect, type JSX, on, Show } from "solid-js";
import { version } from "../engine";
import { digest } from "../engine/digest";
import type { Memory } from "../state/memory";
import { announce } from "./announce";

const lost = "Your browser isn't saving this page. Your work will be lost when you close it.";

export function Footer(props: { memory: Memory }): JSX.Element {
  function forgetAll() {
    props.memory.forget();
    history.replaceState(null, "", location.pathname + location.search);
    announce("everything that was kept is forgotten");
  }
  createEffect(on(props.memory.isKept, (isKept) => isKept || announce(lost), { defer: true }));
  return (
    <footer class="bottom small">
      <p>
        Nothing leaves this page: it is forbidden to connect anywhere.{" "}
        <Show when={props.memory.isKept()} fallback={<strong class="remark">{lost}</strong>}>
          What you type is kept in this browser, without passwords and signatures.
        </Show>
      </p>
      <button type="button" class="quiet" onClick={forgetAll}>
        Forget it
      </button>
      <p class="mono muted">
        engine {version()} <span class="digest">sha256:{digest}</span>
      </p>
    </footer>
  );
}
