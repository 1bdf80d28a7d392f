/** Which engine answers, where what is typed goes (nowhere), and a way to forget it. */

import type { JSX } from "solid-js";
import { version } from "../engine";
import { digest } from "../engine/digest";
import { forget } from "../state/memory";
import { blank } from "../state/model";
import type { Paste } from "../state/paste";
import type { Playground } from "../state/playground";
import { announce } from "./announce";

export function Footer(props: { playground: Playground; paste: Paste }): JSX.Element {
  function forgetAll() {
    props.paste.load(blank());
    forget();
    history.replaceState(null, "", location.pathname + location.search);
    announce("everything that was kept is forgotten");
  }
  return (
    <footer class="bottom small">
      <p>
        Nothing leaves this page: it is forbidden to connect anywhere. What you type is kept in this browser, without
        passwords and signatures.
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
