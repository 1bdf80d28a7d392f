/**
 * The rights that a pasted token holds already, whatever the scope maps say now.
 */

import { createMemo, onCleanup } from "solid-js";
import { scopeText } from "../clients/scopes";
import {
  type AccessEntry,
  actions,
  attempt,
  type Explanation,
  Principal,
  type Profile,
  permissionFor,
  type Reason,
  type RepositoryGrant,
  readScopes,
  verify,
} from "../engine";
import { type DecodedToken, decodeToken } from "../tokens";
import { doing } from "./words";

export type PastedToken = ReturnType<typeof createPastedToken>;

export function createPastedToken(token: () => string, profile: () => Profile) {
  const decoded = createMemo<DecodedToken | null>(() => (token() ? decodeToken(token()) : null));
  const entries = createMemo(() => access(decoded()));

  const holds = (scope: string) => {
    const missing = attempt(() => verify(entries(), [scope], profile()));
    return missing.kind === "value" && missing.value.length === 0;
  };

  /**
   * The same rights as rules, to simulate with them. A list of repositories is
   * none.
   */
  const principal = createMemo(() => {
    const made = new Principal();
    onCleanup(() => made.free());
    attempt(() => made.add("", rulesOf(entries())));
    return made;
  });

  /** The repositories that it lists. */
  const repositories = createMemo(() => {
    const scopes = entries().flatMap((entry) => {
      const read = attempt(() => readScopes(entry));
      return read.kind === "value" ? read.value.scopes : [];
    });
    return [...new Set(scopes.filter(({ type }) => type === "repository").map(({ name }) => name))];
  });

  return {
    decoded,
    entries,
    principal,
    repositories,
    /** What may be done with each of these repositories. */
    granted(names: string[]): RepositoryGrant[] {
      const empty = new Principal();
      const checked = empty.granted(names);
      empty.free();
      return checked.map((grant) => ({
        ...grant,
        actions: grant.problem ? [] : actions().filter((action) => holds(`repository:${grant.name}:${action}`)),
      }));
    },
    /** Why a request with this token passes or does not. */
    explain(scopes: string): Explanation[] {
      const empty = new Principal();
      const asked = attempt(() => empty.claims(scopes));
      empty.free();
      const wanted = asked.kind === "value" ? asked.value.denied : [];
      return wanted.map((entry) => explainEntry(entry, holds));
    },
  };
}

function rulesOf(entries: string[]): string[] {
  const read = attempt(() => readScopes(entries.join(" ")));
  const scopes = read.kind === "value" ? read.value.scopes : [];
  return scopes.flatMap(({ type, name, actions }) =>
    type === "repository" ? actions.map((action) => `repositories/${name}/${permissionFor(action)}`) : [],
  );
}

function explainEntry(entry: AccessEntry, holds: (scope: string) => boolean): Explanation {
  const reasons: Reason[] = entry.actions.map((action) => ({
    action,
    granted: holds(scopeText({ ...entry, actions: [action] })),
    rules: [],
    misses: [],
  }));
  const sentences = reasons.map(
    ({ action, granted }) =>
      `the token ${granted ? "can" : "can't"} ${doing([action]) ?? `use ${action} on`} \`${entry.name}\``,
  );
  return {
    scope: scopeText(entry),
    text: `${sentences.join("\n")}\n`,
    reasons,
    edits: [],
    replacements: [],
  };
}

/** The access entries of a token, written as scopes, in the spellings that are in use. */
function access(token: DecodedToken | null): string[] {
  const claims = token?.claims ?? null;
  const entries = claims?.access ?? claims?.Access;
  if (!Array.isArray(entries)) return [];
  return entries.flatMap((entry: unknown) => {
    if (typeof entry !== "object" || entry === null) return [];
    const fields = new Map(Object.entries(entry).map(([key, value]) => [key.toLowerCase(), value]));
    const actions = fields.get("actions");
    const list = Array.isArray(actions) ? actions.join(",") : "";
    return [`${String(fields.get("type"))}:${String(fields.get("name"))}:${list}`];
  });
}
