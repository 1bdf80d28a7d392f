/** A pasted text, and what is to be found in it as lines of text. */

import type { Reference } from "../../src/engine";
import type { Change, Found, Lock, Part } from "../../src/recognise/found";

export interface Sample {
  text: string;
  found: string[];
}

/** What was found, in one line for each part. */
export function rendered(parts: Part[]): string[] {
  return parts.map(({ found }) => line(found));
}

function line(found: Found): string {
  switch (found.kind) {
    case "scopeMap":
      return words(
        "scope map",
        found.form,
        found.isPart ? "in part" : null,
        found.map.name,
        found.map.registry,
        list(found.map.actions),
      );
    case "token":
      return words(
        "token",
        found.name,
        found.registry,
        found.scopeMap,
        found.status,
        list((found.passwords ?? []).map(password)),
      );
    case "jwt":
      return `jwt ${found.token.split(".").length} of 3`;
    case "challenge":
      return words("challenge", ...found.challenges.map(({ scheme, scope, error }) => words(scheme, scope, error)));
    case "unauthorized":
      return words("unauthorized", list(found.required));
    case "error":
      return words("error", found.errorClass, found.registry, found.repository, list(found.required));
    case "scopes":
      return words(
        "scopes",
        list(found.report.scopes.map(({ type, name, actions }) => `${type}:${name}:${actions}`)),
        found.report.invalid.map(({ scope }) => `not ${scope}`).join(" "),
      );
    case "command":
      return words(
        found.client,
        found.operation,
        written(found.reference),
        found.source && `from ${written(found.source)}`,
        found.registry && `at ${found.registry}`,
        found.user && `as ${found.user}`,
        found.subject,
        found.change && change(found.change),
        found.lock && lock(found.lock),
        found.outcome,
      );
    case "assertions":
      return `assertions ${found.file.assertions.length} on ${found.file.scopeMaps.length}`;
    case "repositories":
      return words("repositories", list(found.names));
    case "reference":
      return words("reference", written(found.reference));
    case "lock":
      return words("lock", lock(found.lock));
    case "passwords":
      return words("passwords", found.token, list(found.passwords.map(password)));
    case "change":
      return words("change", found.registry && `at ${found.registry}`, change(found.change));
    case "unknown":
      return words("unknown", `${found.position}:`, found.message);
  }
}

function lock({ repository, tag, digest, ...flags }: Lock): string {
  const set = (["read", "write", "delete"] as const).filter((flag) => flags[flag] !== null);
  return words(repository, tag, digest?.slice(0, 11) ?? null, ...set.map((flag) => `${flag}:${flags[flag]}`));
}

function change(change: Change): string {
  const removed = change.removed.length > 0 ? `without ${list(change.removed)}` : null;
  return words(
    change.does === "deletes" ? "deletes" : null,
    change.token && `token ${change.token}`,
    change.scopeMap && `map ${change.scopeMap}`,
    list(change.actions),
    removed,
  );
}

function password({ name, expiry }: { name: string; expiry: string | null }): string {
  return words(name, expiry && `until ${expiry.slice(0, 10)}`);
}

function written(reference: Reference | null): string | null {
  if (!reference) return null;
  const { registry, repository, tag, digest } = reference;
  return `${registry ? `${registry}/` : ""}${repository}${tag ? `:${tag}` : ""}${digest ? `@${digest.slice(0, 11)}` : ""}`;
}

function list(items: string[]): string {
  return items.length > 0 ? `[${items.join(" ")}]` : "";
}

function words(...items: (string | null)[]): string {
  return items.filter(Boolean).join(" ");
}
