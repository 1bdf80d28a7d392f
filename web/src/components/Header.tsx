/** The name of the page, the examples, sharing, the registry's profile, and light or dark. */

import type { JSX } from "solid-js";
import type { Address } from "../state/address";
import { examples } from "../state/examples";
import type { Memory } from "../state/memory";
import type { Paste } from "../state/paste";
import type { Playground } from "../state/playground";
import { Menu } from "./Menu";
import { openExample } from "./open-example";
import { ShareButton } from "./ShareButton";
import { ThemeButton } from "./ThemeButton";
import "./header.css";

export function Header(props: { playground: Playground; paste: Paste; memory: Memory; address: Address }): JSX.Element {
  return (
    <header class="top">
      <h1>
        <Logo /> Scopegate
      </h1>
      <p class="tagline">What can this token do, and why?</p>
      <div class="row actions">
        <Profile playground={props.playground} />
        <Menu name="Examples" items={examples} choose={(example) => openExample(props.memory, props.paste, example)} />
        <ShareButton address={props.address} />
        <ThemeButton />
      </div>
    </header>
  );
}

function Logo(): JSX.Element {
  return (
    <svg class="logo" viewBox="8 6 48 50" aria-hidden="true">
      <path d="M14 52V30a18 18 0 0 1 36 0v22" stroke-width="6" />
      <path d="M24 24v18M32 21v21M40 24v18M19 29h26M19 37h26" stroke-width="3.5" />
    </svg>
  );
}

/** The two families of registries differ in what listing tags needs. */
function Profile(props: { playground: Playground }): JSX.Element {
  return (
    <div class="profile">
      <label for="profile" class="small muted">
        Registry
      </label>
      <select
        id="profile"
        value={props.playground.model.profile}
        onChange={(event) =>
          props.playground.set("profile", event.currentTarget.value === "distribution" ? "distribution" : "acr")
        }
      >
        <option value="acr">Azure (ACR)</option>
        <option value="distribution">CNCF distribution</option>
      </select>
    </div>
  );
}
