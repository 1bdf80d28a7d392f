/**
 * Rules as people write them: `team/app pull`, `team/app:pull,push`, or a pattern with what may be
 * done.
 *
 * Any other text is kept as it was written, so that the engine says what is wrong with it.
 */

import { actions, permissionFor } from "../engine";

/** The rules that a text means; `chosen` are the actions for a pattern without any. */
export function rulesFrom(text: string, chosen: readonly string[]): string[] {
  const written = text.trim();
  if (written === "" || written.startsWith("repositories/")) return written === "" ? [] : [written];
  const { pattern, permissions } = shorthand(written) ?? { pattern: written, permissions: chosen.map(permission) };
  const isComplete = isPattern(pattern) && permissions.length > 0 && permissions.every((one) => one !== undefined);
  return isComplete ? permissions.map((one) => `repositories/${pattern}/${one}`) : [written];
}

/** Whether a text is a pattern, for which what may be done has to be chosen. */
export function isPattern(text: string): boolean {
  return /^[\w./*-]+$/.test(text) && !text.startsWith("repositories/");
}

function shorthand(text: string) {
  const [, pattern = "", list = ""] = /^(?:repository:)?([^\s:]+)[\s:]+(\S.*)$/.exec(text) ?? [];
  return pattern === "" ? null : { pattern, permissions: list.split(/[\s,]+/).map(permission) };
}

/** The permission of an action, or of what is one already. */
function permission(word: string): string | undefined {
  const written = word.toLowerCase();
  const action = actions().find((known) => known === written || permissionFor(known) === written);
  return action && permissionFor(action);
}
