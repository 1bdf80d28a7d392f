/**
 * Incomplete questions: a scope that is still being written, an action that no registry knows.
 *
 * No verdict is given on it, or else "denied" would be said of a slip of the fingers. Left out:
 * names that are wrong, which are problems.
 */

import { actions, type InvalidScope, permissionFor, readScopes } from "../engine";

/** What is missing from each piece, as sentences; nothing where all of it can be answered. */
export function incomplete(scopes: string, invalid: InvalidScope[]): string[] {
  const unfinished = invalid.map(({ scope, message }) => `\`${scope}\` is not a scope yet: ${message}`);
  const withoutAction =
    scopes.match(/(?<!\S)(?:artifact-)?(?:repository|registry)(?:\([^)\s]*\))?:\S+:,*(?!\S)/g) ?? [];
  const unknown = readScopes(scopes).scopes.flatMap(({ type, actions }) =>
    type === "registry" ? [] : actions.filter((action) => !isKnown(action)),
  );
  return [
    ...unfinished,
    ...withoutAction.map((scope) => `\`${scope}\` has no action yet: add one, for example \`pull\``),
    ...[...new Set(unknown)].map((action) => `unknown action \`${action}\`${proposal(action)}`),
  ];
}

function isKnown(action: string): boolean {
  return actions().some((known) => known === action);
}

function proposal(action: string): string {
  const near = nearest(action);
  return near ? `: did you mean \`${near}\`?` : `: use ${actions().join(", ")}`;
}

/** The action that was meant, by its permission or with at most two slips. */
function nearest(action: string): string | undefined {
  const written = action.toLowerCase();
  const byPermission = actions().find((known) => permissionFor(known) === written);
  if (byPermission) return byPermission;
  const [first] = actions()
    .map((known) => ({ known, slips: slips(written, known) }))
    .filter(({ known, slips }) => slips <= Math.min(2, known.length - 2))
    .sort((one, other) => one.slips - other.slips);
  return first?.known;
}

/** How many letters differ: put in, left out, or changed (Levenshtein). */
function slips(one: string, other: string): number {
  if (one.length > 40) return one.length;
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...one].entries()) {
    const next = [index + 1];
    for (let column = 1; column < row.length; column += 1) {
      const changed = (row[column - 1] ?? 0) + (letter === other[column - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
