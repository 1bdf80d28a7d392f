/** Light or dark, as it was chosen in this browser. */

import { keep, recall } from "./store";

const NAME = "scopegate.theme";

export type Theme = "system" | "light" | "dark";

export function rememberTheme(theme: Theme): void {
  void keep(NAME, theme);
}

export function recallTheme(): Theme {
  const kept = recall(NAME);
  const theme = kept.kind === "text" ? kept.text : "";
  return theme === "light" || theme === "dark" ? theme : "system";
}
