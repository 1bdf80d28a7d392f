/** What a change has removed from the page, in a sentence: for who did not mean to. */

import type { PageModel } from "./page-state";
import type { Snapshot } from "./paste";
import { present } from "./reduce";

/** Null where nothing was removed, or something has taken its place. */
export function removedIn(before: Snapshot, after: Snapshot): string | null {
  const [one, other] = [present(before.timeline).model, present(after.timeline).model];
  if (isEmpty(other) && after.pasted === "" && before.pasted !== "" && !isEmpty(one)) return "Saved data deleted.";
  // An example and a link bring something in its place.
  if (JSON.stringify(one.question) !== JSON.stringify(other.question)) return null;
  if (after.pasted === "" && before.pasted !== "") return one.maps === other.maps ? "Pasted text cleared." : null;
  if (after.pasted !== before.pasted) return null;
  if (other.maps.length < one.maps.length) return counted(one.maps.length - other.maps.length, "scope map");
  const rules = rulesIn(one) - rulesIn(other);
  if (rules > 0) return counted(rules, "rule");
  const names = one.repositories.filter((name) => !other.repositories.includes(name));
  if (names.length === 1) return `${names[0]} removed.`;
  if (names.length > 1) return `${names.length.toLocaleString("en")} repositories removed.`;
  if (other.assertions.length < one.assertions.length) {
    return counted(one.assertions.length - other.assertions.length, "test");
  }
  if (one.held !== "" && other.held === "") return "Token removed.";
  return one.old !== null && other.old === null ? "Compared scope map removed." : null;
}

function counted(count: number, what: string): string {
  const named = what.charAt(0).toUpperCase() + what.slice(1);
  return count === 1 ? `${named} removed.` : `${count.toLocaleString("en")} ${what}s removed.`;
}

function rulesIn({ maps }: PageModel): number {
  return maps.reduce((count, { actions }) => count + actions.length, 0);
}

function isEmpty(model: PageModel): boolean {
  const { repositories, assertions, held, old, question } = model;
  const isAsked = question.kind === "operation" || question.text !== "";
  return rulesIn(model) + repositories.length + assertions.length === 0 && held === "" && old === null && !isAsked;
}
