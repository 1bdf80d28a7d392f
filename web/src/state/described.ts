/** What a pasted token lists, in sentences: the answer where nothing is asked. */

import { attempt, readScopes } from "../engine";
import { date } from "../tokens";
import { type Circumstances, caveats } from "./caveats";

/** More are in the matrix. */
const MAX_NAMED = 5;

export function describedToken(circumstances: Circumstances): string[] {
  const { pastedToken } = circumstances;
  const against = caveats(circumstances, "").map(({ text }) => sentence(text));
  const rights = rightsOf(pastedToken.entries());
  const can = against.length === 0 ? "This token can" : "It lists the rights to";
  const listed = rights.length > 0 ? `${can} ${listOf(rights)}.` : "";
  return [...against, listed, ...endOf(pastedToken.decoded()?.claims?.exp, against.length === 0)].filter(
    (text) => text !== "",
  );
}

function endOf(exp: unknown, isGood: boolean): string[] {
  return isGood && typeof exp === "number" ? [`It ends ${date(exp)}.`] : [];
}

const VERBS: Record<string, string> = {
  pull: "pull",
  push: "push",
  delete: "delete from",
  metadata_read: "read the metadata of",
  metadata_write: "change the metadata of",
};

/** What may be done with each resource; those with the same actions together. */
function rightsOf(entries: string[]): string[] {
  const names = new Map<string, string[]>();
  for (const entry of entries) {
    const { right, name } = rightOf(entry);
    names.set(right, [...(names.get(right) ?? []), name]);
  }
  return [...names].map(([right, all]) => [right, shortened(all.filter((name) => name !== ""))].join(" ").trim());
}

function rightOf(entry: string): { right: string; name: string } {
  const read = attempt(() => readScopes(entry));
  const [scope] = read.kind === "value" ? read.value.scopes : [];
  if (scope?.type === "registry" && scope.name === "catalog") return { right: "list the repositories", name: "" };
  const verbs = scope?.actions.map((action) => VERBS[action]) ?? [];
  if (scope?.type !== "repository" || verbs.length === 0 || verbs.includes(undefined)) {
    return { right: `use \`${entry}\``, name: "" };
  }
  return { right: listOf(verbs.map((verb) => verb ?? "")), name: `\`${scope.name}\`` };
}

function shortened(names: string[]): string {
  const rest = names.length - MAX_NAMED;
  return listOf(rest > 1 ? [...names.slice(0, MAX_NAMED), `${rest} more`] : names);
}

function listOf(items: string[]): string {
  const last = items.at(-1) ?? "";
  return items.length < 2 ? last : `${items.slice(0, -1).join(", ")} and ${last}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
