/** Light, dark, or as the system says: each press is the next. */

import type { JSX } from "solid-js";
import type { Theme } from "../state/theme";

const next: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const names: Record<Theme, string> = { system: "System", light: "Light", dark: "Dark" };
/** A half-filled disc, a sun, a moon. */
const shapes: Record<Theme, string> = {
  system: "M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14",
  light: "M10 6.5a3.5 3.5 0 1 0 0 7a3.5 3.5 0 0 0 0-7M10 1v2M10 17v2M1 10h2M17 10h2",
  dark: "M16.5 12.5A7.2 7.2 0 0 1 7.5 3.5a7.2 7.2 0 1 0 9 9z",
};

export function ThemeButton(props: { theme: Theme; choose: (theme: Theme) => void }): JSX.Element {
  return (
    <button
      type="button"
      class="theme"
      aria-label={`Theme: ${names[props.theme].toLowerCase()}`}
      onClick={() => props.choose(next[props.theme])}
    >
      <svg viewBox="0 0 20 20" aria-hidden="true" data-theme-sign={props.theme}>
        <path d={shapes[props.theme]} />
      </svg>
      <span class="label">{names[props.theme]}</span>
    </button>
  );
}
