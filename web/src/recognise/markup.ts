/**
 * Lines that only frame other things: the fences of Markdown, comments, and what separates
 * documents.
 */

import { lineAt, type Reading } from "./reading";

export function readMarkup(text: string, at: number): Reading | null {
  const line = lineAt(text, at);
  return /^(?:`{3}|~{3}|#+(?:\s|$)|\/\/|-{3,}$|\.{3}$)/.test(line) ? { parts: [], to: at + line.length } : null;
}
