/** The name of the page, its commands, the registry's type, and light or dark. */

import { createEffect, createSignal, type JSX, Show, Suspense } from "solid-js";
import type { Profile } from "../engine";
import { examples } from "../state/examples";
import { recallTheme, rememberTheme, type Theme } from "../state/theme";
import { later } from "./later";
import { Menu } from "./Menu";
import { openExample } from "./open-example";
import type { PageParts } from "./parts";
import { goTo } from "./places";
import { ShareButton } from "./ShareButton";
import { onShortcuts, PALETTE_KEYS } from "./shortcuts";
import { ThemeButton } from "./ThemeButton";
import "./header.css";

const PagePalette = later(async () => (await import("./PagePalette")).PagePalette);

export function Header(props: PageParts): JSX.Element {
  const [theme, setTheme] = createSignal(recallTheme());
  const [isOpen, setOpen] = createSignal(false);
  createEffect(() => {
    document.documentElement.dataset.theme = theme();
  });
  const chooseTheme = (chosen: Theme) => {
    setTheme(chosen);
    rememberTheme(chosen);
  };
  onShortcuts({
    paste: () => goTo("paste"),
    palette: () => setOpen(true),
    undo: () => props.history.undo(),
    redo: () => props.history.redo(),
  });

  return (
    <header class="top">
      <h1>
        <Logo /> Scopegate
      </h1>
      <p class="tagline">
        What can this token do, and why? <span>Paste an error, a token or a scope map.</span>
      </p>
      <div class="row about">
        <button type="button" class="quiet commands" onClick={() => setOpen(true)}>
          Commands <kbd>{PALETTE_KEYS}</kbd>
        </button>
        <ThemeButton theme={theme()} choose={chooseTheme} />
      </div>
      <div class="row actions">
        <RegistryType
          profile={props.playground.model.profile}
          choose={(type) => props.playground.set("profile", type)}
        />
        <Menu name="Examples" items={examples} choose={(example) => openExample(props.memory, props.paste, example)} />
        <ShareButton link={() => props.address.share()} />
      </div>
      <Show when={isOpen()}>
        <Suspense>
          <PagePalette page={{ ...props, theme: theme(), chooseTheme }} close={() => setOpen(false)} />
        </Suspense>
      </Show>
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
function RegistryType(props: { profile: Profile; choose: (profile: Profile) => void }): JSX.Element {
  return (
    <label class="profile">
      <span class="small muted">Registry type</span>
      <select
        aria-label="Registry type"
        value={props.profile}
        onChange={(event) => props.choose(event.currentTarget.value === "distribution" ? "distribution" : "acr")}
      >
        <option value="acr">Azure Container Registry</option>
        <option value="distribution">CNCF Distribution</option>
      </select>
    </label>
  );
}
