/**
 * The page starts: the engine, what a link or the memory holds, and then everything that one does.
 */

import { ErrorBoundary } from "solid-js";
import { render } from "solid-js/web";
import { App } from "./components/App";
import "./engine/start";
import { keepForOffline } from "./offline";
import { createAddress } from "./state/address";
import { createHistory } from "./state/history";
import { createMemory, forgetAll, recalled } from "./state/memory";
import { createPaste } from "./state/paste";
import { createPlayground } from "./state/playground";
import { recallTheme } from "./state/theme";
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
    forgetAll();
    location.replace(location.pathname);
  };
  return (
    <main class="page">
      <p role="alert">Something went wrong in Scopegate: {String(props.error)}</p>
      <button type="button" onClick={begin}>
        Reset and start over
      </button>
    </main>
  );
}

function Page() {
  const playground = createPlayground(recalled());
  const paste = createPaste(playground);
  const memory = createMemory(playground, paste);
  const address = createAddress(playground, memory);
  const history = createHistory(playground, paste);
  return <App playground={playground} paste={paste} history={history} memory={memory} address={address} />;
}
