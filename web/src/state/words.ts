/** Sentences for people: lists, rights in words, and where a sentence can be divided. */

import { scopeText } from "../clients/scopes";
import { attempt, type Explanation, readScopes } from "../engine";

export { problemText, sentence } from "../engine";

/** More are in the matrix. */
const MAX_NAMED = 5;

const VERBS: Record<string, string> = {
  pull: "pull",
  push: "push to",
  delete: "delete from",
  metadata_read: "read the metadata of",
  metadata_write: "change the metadata of",
};

/** What may be done with each resource; those with the same actions together. */
export function rightsOf(entries: string[], joint = "and"): string {
  const names = new Map<string, string[]>();
  for (const entry of entries) {
    const { right, name } = rightOf(entry, joint);
    names.set(right, [...(names.get(right) ?? []), name]);
  }
  const rights = [...names].map(([right, all]) =>
    [
      right,
      shortened(
        all.filter((name) => name !== ""),
        joint,
      ),
    ]
      .join(" ")
      .trim(),
  );
  return listOf(rights, joint);
}

function rightOf(entry: string, joint: string): { right: string; name: string } {
  const read = attempt(() => readScopes(entry));
  const [scope] = read.kind === "value" ? read.value.scopes : [];
  if (scope?.type === "registry" && scope.name === "catalog") return { right: "list the repositories", name: "" };
  const right = scope?.type === "repository" ? doing(scope.actions, joint) : null;
  return scope && right !== null ? { right, name: `\`${scope.name}\`` } : { right: `use \`${entry}\``, name: "" };
}

/** Actions as verbs; null where one of them has none. */
export function doing(actions: readonly string[], joint = "and"): string | null {
  const verbs = actions.map((action) => VERBS[action]);
  if (verbs.length === 0 || verbs.includes(undefined)) return null;
  return listOf(
    verbs.map((verb) => verb ?? ""),
    joint,
  );
}

export function shortened(names: string[], joint = "and"): string {
  const rest = names.length - MAX_NAMED;
  return listOf(rest > 1 ? [...names.slice(0, MAX_NAMED), `${rest.toLocaleString("en")} more`] : names, joint);
}

export function listOf(items: string[], joint = "and"): string {
  const last = items.at(-1) ?? "";
  return items.length < 2 ? last : `${items.slice(0, -1).join(", ")} ${joint} ${last}`;
}

/** The first statement of a text, and the rest. What is in backticks is not divided. */
export function divided(text: string): [string, string] {
  const quoted = text.split("`");
  let at = 0;
  for (const [index, piece] of quoted.entries()) {
    const end = index % 2 === 0 ? piece.search(/[:;] /) : -1;
    if (end >= 0) return [text.slice(0, at + end), text.slice(at + end + 2)];
    at += piece.length + 1;
  }
  return [text, ""];
}

/** The part of what is asked that is granted, or that is not, as scopes. */
export function answered({ scope, reasons }: Explanation, isGranted: boolean): string[] {
  const actions = reasons.filter(({ granted }) => granted === isGranted).map(({ action }) => action);
  return actions.length > 0 ? readScopes(scope).scopes.map((entry) => scopeText({ ...entry, actions })) : [];
}
