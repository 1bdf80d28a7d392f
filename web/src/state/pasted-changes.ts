/**
 * What a recognised part of the pasted text changes, as data: nothing here knows the page.
 *
 * Where it depends on the page what a part changes, both cases are in the change, and `apply`
 * chooses. Scope maps are left out: what becomes of them depends on the other maps of the text,
 * and `pasted-maps` puts them.
 */

import { scopeText } from "../clients/scopes";
import { type AssertionFile, attempt, type Challenge, type Reference, readScopes, type ScopeReport } from "../engine";
import type { Found, FoundCommand, FoundPasswords, FoundToken } from "../recognise";
import { isSigned, withoutSignature } from "../tokens";
import type { MapCommand } from "./change";
import { IDENTITY, type Panel, type Question, type Reported } from "./model";
import { labelOf } from "./registry";

export type Change =
  /** Notes the registry of a map that does not say its own. */
  | { kind: "registry"; label: string }
  | { kind: "ask"; question: Question }
  | { kind: "report"; reported: Reported | null }
  | { kind: "repositories"; names: string[] }
  | { kind: "panel"; panel: Panel }
  | { kind: "login"; name: string }
  /** A token whose rights are looked at, whatever the maps grant. */
  | { kind: "jwt"; token: string }
  | { kind: "token"; token: FoundToken }
  | { kind: "passwords"; passwords: FoundPasswords }
  | ({ kind: "map-command" } & MapCommand)
  | { kind: "assertions"; file: AssertionFile }
  /** A copy between two registries: one side of it is asked, and which one the maps tell. */
  | { kind: "copy"; source: string; target: string; pull: Change[]; push: Change[] }
  /** An error: of the command that is asked already, or alone. */
  | { kind: "error"; repository: string | null; ofCommand: Change[]; alone: Change[] }
  /** The body of a refusal, which names no registry. */
  | { kind: "refusal"; required: string };

/** What this changes. A command that is not what is asked about asks nothing. */
export function pastedChanges(found: Found, isAsked = true): Change[] {
  switch (found.kind) {
    case "command":
      return ofCommand(found, isAsked);
    case "jwt":
      return [{ kind: "jwt", token: withMark(found.token) }];
    case "challenge":
      return ofChallenges(found.challenges);
    case "unauthorized":
      return [{ kind: "refusal", required: found.required.join(" ") }];
    case "scopes":
      return [...registry(found.registry), ...asking(scopesOf(found.report), found.registry ?? "")];
    case "error":
      return ofError(found);
    case "token":
      return [{ kind: "token", token: found }];
    case "reference": {
      const { repository, registry: host } = found.reference;
      return [...registry(host), ...asking(`repository:${repository}:pull`, host ?? "")];
    }
    case "repositories":
      return [{ kind: "repositories", names: found.names }];
    case "passwords":
      return [{ kind: "passwords", passwords: found }];
    case "change":
      return [{ kind: "map-command", change: found.change, registry: labelOf(found.registry ?? ""), outcome: null }];
    case "assertions":
      return [{ kind: "assertions", file: found.file }];
    default:
      return [];
  }
}

/** Asks about scopes, and shows the repositories that are in them. */
export function asking(scopes: string, registry: string): Change[] {
  const text = scopes.trim();
  if (text === "") return [];
  const read = attempt(() => readScopes(text));
  const entries = read.kind === "value" ? read.value.scopes : [];
  const names = entries.filter(({ type }) => type.startsWith("repository")).map(({ name }) => name);
  return [{ kind: "ask", question: { kind: "scope", text, registry } }, ...repositories(names)];
}

/** Invalid scopes are asked about too, and reported as invalid. */
function scopesOf({ scopes, invalid }: ScopeReport): string {
  return [...scopes.map(scopeText), ...invalid.map(({ scope }) => scope)].join(" ");
}

function registry(host: string | null | undefined): Change[] {
  const label = labelOf(host ?? "");
  return label === "" ? [] : [{ kind: "registry", label }];
}

function repositories(names: string[]): Change[] {
  const shown = names.filter((name) => name !== "" && name !== "*");
  return shown.length === 0 ? [] : [{ kind: "repositories", names: shown }];
}

function ofChallenges(challenges: Challenge[]): Change[] {
  const scopes = challenges.map(({ scope }) => scope ?? "");
  const asked = scopes.join(" ").trim();
  const [{ service, realm, error } = { service: null, realm: "", error: null }] = challenges;
  const host = hostOf(service ?? "") || hostOf(realm);
  const meaning = error === "insufficient_scope" ? "denied" : "unauthenticated";
  const reported: Reported = { meaning, repository: null, asked };
  return [
    ...registry(host),
    ...(error === null ? [] : [{ kind: "report" as const, reported }]),
    ...asking(asked, host),
  ];
}

/** The host of an address, or of a service that is called by its host. */
function hostOf(text: string): string {
  if (URL.canParse(text) && text.includes("://")) return new URL(text).host;
  return /^[\w-]+(?:\.[\w-]+)+(?::\d+)?$|^[\w.-]+:\d+$/.test(text) ? text : "";
}

/** An error alone says a repository and, at best, what was needed. */
function ofError({ registry: host, repository, errorClass, required }: Extract<Found, { kind: "error" }>): Change[] {
  const needed = required.join(" ").trim();
  const guessed = needed || (repository === null ? "" : `repository:${repository}:pull`);
  const report = (asked: string): Change => ({ kind: "report", reported: { meaning: errorClass, repository, asked } });
  const alone = [report(guessed), ...asking(guessed, host ?? "")];
  return [...registry(host), { kind: "error", repository, ofCommand: [report(needed)], alone }];
}

/**
 * A copy is asked as far as one registry is: both sides of it, or the one that is here. What is
 * not in a registry at all is not decided about; an import reads from where it says.
 */
function ofCommand(found: FoundCommand, isAsked: boolean): Change[] {
  const { operation, reference, source } = found;
  if (operation === "import") {
    return ofSide({ ...found, reference: source, source: null, registry: source?.registry ?? "" }, isAsked);
  }
  if (operation !== "copy" || (!reference && !source)) return ofSide(found, isAsked);
  if (reference && source && reference.registry === source.registry) return ofSide(found, isAsked);
  const pull = ofSide({ ...found, operation: "pull", reference: source, source: null }, isAsked);
  const push = ofSide({ ...found, operation: "push", source: null }, isAsked);
  if (!reference) return pull;
  if (!source) return push;
  const labels = { source: labelOf(source.registry ?? ""), target: labelOf(reference.registry ?? "") };
  return [{ kind: "copy", ...labels, pull, push }];
}

function ofSide(found: FoundCommand, isAsked: boolean): Change[] {
  const { client, operation, reference, source, change, user, outcome } = found;
  const host = reference?.registry ?? found.registry ?? source?.registry ?? "";
  const isLogin = client === "az" && operation === "login";
  const name = user || isLogin ? (user ?? IDENTITY) : null;
  const first: Change[] = [...registry(host), ...(name === null ? [] : [{ kind: "login" as const, name }])];
  if (change) return [...first, { kind: "map-command", change, registry: labelOf(host), outcome }];
  if (PRINTS_ONLY.test(operation)) return first;
  const shown = repositories([reference?.repository ?? source?.repository ?? ""]);
  return [...first, ...shown, ...(isAsked ? operationAsked(found, host) : [])];
}

/** These are about what they print. */
const PRINTS_ONLY = /^(?:token|scope-map|manifest)-(?:show|update)$/;

function operationAsked(found: FoundCommand, host: string): Change[] {
  const { reference, source } = found;
  const digest = (reference ?? source)?.digest ?? null;
  const target = {
    registry: host,
    repository: reference?.repository ?? source?.repository ?? "",
    tag: reference?.tag ?? source?.tag ?? "latest",
    ...(digest === null ? {} : { digest }),
    source: reference && source ? source.repository : "",
  };
  return [
    { kind: "ask", question: { kind: "operation", operation: operationOf(found, reference), target } },
    { kind: "panel", panel: "client" },
  ];
}

/**
 * What the simulator calls it. Some commands do other things with a tag, or an exact version, than
 * without.
 */
function operationOf({ client, operation }: FoundCommand, reference: Reference | null): string {
  const hasTag = (reference?.tag ?? reference?.digest ?? null) !== null;
  if (client === "az" && operation === "repository-delete" && hasTag) return "az-repository-delete-image";
  const pulls = operation === "pull" || operation === "install" || operation === "show";
  // Helm lists the tags unless the version is exact.
  if (client === "helm" && pulls) return hasTag ? "helm-pull" : "helm-install";
  return `${client}-${operation}`;
}

/** A token with a mark in place of its signature, if it had one as a whole. */
function withMark(token: string): string {
  const rest = withoutSignature(token);
  // Of a text that is not a token nothing is left.
  return isSigned(token) || rest === "" ? `${rest}…` : rest;
}
