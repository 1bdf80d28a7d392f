/**
 * Writes a model that was computed into Solid's store: only the fields that are others now, so that
 * only what shows them is drawn again.
 *
 * The store changes its objects in place, and the reducer's values never change: objects are
 * copied on their way, and lists of texts are replaced whole.
 */

import type { SetStoreFunction } from "solid-js/store";
import { blank, type Model, type Question, type ScopeMapDraft } from "./model";
import type { PageModel } from "./page-state";

const FIELDS = (Object.keys(blank()) as (keyof Model)[]).filter((field) => field !== "pasted");

export function publish(write: SetStoreFunction<Model>, before: PageModel, after: PageModel): void {
  for (const field of FIELDS) {
    if (before[field] !== after[field]) publishField(write, field, before, after);
  }
}

function publishField(
  write: SetStoreFunction<Model>,
  field: keyof PageModel,
  before: PageModel,
  after: PageModel,
): void {
  switch (field) {
    case "maps":
      publishMaps(write, before.maps, after.maps);
      break;
    case "question":
      publishQuestion(write, before.question, after.question);
      break;
    case "token":
      write("token", { facts: undefined, ...after.token });
      break;
    case "old":
      write("old", after.old && whole(after.old));
      break;
    default: {
      const value = after[field];
      write({ [field]: isObject(value) ? { ...value } : value });
    }
  }
}

/** A card stays for as long as there are as many: its map is another one, field by field. */
function publishMaps(write: SetStoreFunction<Model>, before: ScopeMapDraft[], after: ScopeMapDraft[]): void {
  if (before.length !== after.length) {
    write("maps", after.map(whole));
    return;
  }
  for (const [index, map] of after.entries()) {
    if (map !== before[index]) write("maps", index, whole(map));
  }
}

/** Field by field: what is being typed into one of them is not written again. */
function publishQuestion(write: SetStoreFunction<Model>, before: Question, after: Question): void {
  if (before.kind === "operation" && after.kind === "operation") {
    write("question", { operation: after.operation });
    write("question", "target" as never, { digest: undefined, ...after.target } as never);
    return;
  }
  const none = { text: undefined, registry: undefined, operation: undefined, target: undefined };
  write("question", { ...none, ...structuredClone(after) } as Question);
}

/** A map with every field, so that none of another stays. */
function whole(map: ScopeMapDraft): ScopeMapDraft {
  return { known: undefined, ...map };
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
