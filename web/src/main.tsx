/** The page starts: the engine, what a link or the memory holds, and then everything that one does. */

import { createEffect, ErrorBoundary, on, onCleanup } from "solid-js";
import { unwrap } from "solid-js/store";
import { render } from "solid-js/web";
import { App } from "./components/App";
import "./engine/start";
import { keepForOffline } from "./offline";
import { createAddress } from "./state/address";
import { forget, recall, recallTheme, remember } from "./state/memory";
import { createPaste } from "./state/paste";
import { createPlayground } from "./state/playground";
import "./styles/page.css";

document.documentElement.dataset.theme = recallTheme();
const root = document.getElementById("app");
if (root) {
  render(
    () => (
      <ErrorBoundary fallback={(error) => <Broken error={error} />}>
        <Page />
      </ErrorBoundary>
    ),
    root,
  );
}
keepForOffline();

/** A defect of ours must not come back with each reload, because what is kept causes it. */
function Broken(props: { error: unknown }) {
  const begin = () => {
    forget();
    location.replace(location.pathname);
  };
  return (
    <main class="page">
      <p role="alert">The page failed, which is a defect of Scopegate: {String(props.error)}</p>
      <button type="button" onClick={begin}>
        Forget what was typed, and begin again
      </button>
    </main>
  );
}

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
  const keep = () => remember(unwrap(playground.model));
  window.addEventListener("pagehide", keep);
  onCleanup(() => window.removeEventListener("pagehide", keep));
  return <App playground={playground} paste={paste} address={address} />;
}
