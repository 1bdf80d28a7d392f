/** The page. */

import { bytes, sha256 } from "virtual:engine";
import * as scopegate from "scopegate";
import { render } from "solid-js/web";

import { keepForOffline } from "./offline";
import "./style.css";

scopegate.initSync({ module: bytes });

function Page() {
  return (
    <main>
      <h1>Scopegate</h1>
      <p>
        The engine is here, its SHA-256 is <code>{sha256}</code>.
      </p>
    </main>
  );
}

const app = document.getElementById("app");
if (app !== null) render(() => <Page />, app);
keepForOffline();
