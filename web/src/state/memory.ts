/**
 * What was typed is kept in this browser until it is forgotten, without secrets. Where the browser refuses to keep anything (a frame of
 * another site, a private window), the page works and keeps nothing.
 */

import type { Model } from "./model";
import { check, clean } from "./share";

const MODEL = "scopegate.model";
const THEME = "scopegate.theme";

export type Theme = "system" | "light" | "dark";

export function remember(model: Model): void {
  write(MODEL, JSON.stringify(clean(model)));
}

export function recall(): Model | null {
  const text = read(MODEL);
  if (text === null) return null;
  try {
    const opened = check(JSON.parse(text));
    return opened.kind === "model" ? opened.model : null;
  } catch {
    return null;
  }
}

export function forget(): void {
  try {
    localStorage.removeItem(MODEL);
  } catch {
    // Nothing was kept.
  }
}

export function rememberTheme(theme: Theme): void {
  write(THEME, theme);
}

export function recallTheme(): Theme {
  const theme = read(THEME);
  return theme === "light" || theme === "dark" ? theme : "system";
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, text: string): void {
  try {
    localStorage.setItem(key, text);
  } catch {
    // Full, or not allowed.
  }
}
