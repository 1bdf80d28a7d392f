/** The page starts: the engine, what a link or the memory holds, and then everything that one does. */

import { createEffect, on, onCleanup } from "solid-js";
import { unwrap } from "solid-js/store";
import { render } from "solid-js/web";
import { App } from "./components/App";
import "./engine/start";
import { keepForOffline } from "./offline";
import { createAddress } from "./state/address";
import { recall, recallTheme, remember } from "./state/memory";
import { createPaste } from "./state/paste";
import { createPlayground } from "./state/playground";
import "./styles/page.css";

document.documentElement.dataset.theme = recallTheme();
const root = document.getElementById("app");
if (root) {
  render(() => <Page />, root);
}
keepForOffline();

function Page() {
  const playground = createPlayground(recall() ?? undefined);
  const paste = createPaste(playground);
  const address = createAddress(playground, paste);

  // Kept soon, but not at each key.
  createEffect(
    on(playground.changes, () => {
      const later = setTimeout(() => remember(unwrap(playground.model)), 400);
      onCleanup(() => clearTimeout(later));
    }),
  );
  window.addEventListener("pagehide", () => remember(unwrap(playground.model)));
  return <App playground={playground} paste={paste} address={address} />;
}
