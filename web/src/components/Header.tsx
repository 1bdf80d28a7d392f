/** The name of the page, the examples, sharing, the registry's profile, and light or dark. */

import type { JSX } from "solid-js";
import type { Address } from "../state/address";
import { examples } from "../state/examples";
import type { Paste } from "../state/paste";
import type { Playground } from "../state/playground";
import { announce } from "./announce";
import { Menu } from "./Menu";
import { ShareButton } from "./ShareButton";
import { ThemeButton } from "./ThemeButton";

export function Header(props: { playground: Playground; paste: Paste; address: Address }): JSX.Element {
  return (
    <header class="top">
      <h1>
        <Logo /> Scopegate
      </h1>
      <p class="tagline">What can this token do, and why?</p>
      <div class="row actions">
        <Profile playground={props.playground} />
        <Menu
          name="Examples"
          items={examples}
          choose={(example) => {
            props.paste.load(example.model());
            if (example.pasted) props.paste.write(example.pasted);
            announce(`example: ${example.name}`);
          }}
        />
        <ShareButton address={props.address} />
        <ThemeButton />
      </div>
    </header>
  );
}

function Logo(): JSX.Element {
  return (
    <svg class="logo" viewBox="0 0 24 24" aria-hidden="true">
      <path d="M3 21V9a9 9 0 0 1 18 0v12M8 21v-8a4 4 0 0 1 8 0v8" />
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
