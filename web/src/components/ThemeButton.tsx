/** Light, dark, or as the system says. */

import { createEffect, createSignal, type JSX } from "solid-js";
import { recallTheme, rememberTheme, type Theme } from "../state/theme";

const next: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const names: Record<Theme, string> = { system: "Auto", light: "Light", dark: "Dark" };

export function ThemeButton(): JSX.Element {
  const [theme, setTheme] = createSignal(recallTheme());
  createEffect(() => {
    document.documentElement.dataset.theme = theme();
  });
  return (
    <button
      type="button"
      class="theme"
      aria-label={`colours: ${names[theme()]}`}
      onClick={() => {
        setTheme(next[theme()]);
        rememberTheme(theme());
      }}
    >
      {names[theme()]}
    </button>
  );
}
