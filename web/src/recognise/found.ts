/**
 * What can stand in a pasted text.
 */

import type { AssertionFile, Challenge, Reference, readScopeMap, ScopeReport } from "../engine";

/** A piece of the pasted text, in UTF-16 units. Only the maps inside a file of assertions lie within another part. */
export interface Part {
  from: number;
  to: number;
  found: Found;
}

export type Found =
  | FoundScopeMap
  | FoundToken
  | { kind: "jwt"; token: string }
  | { kind: "challenge"; challenges: Challenge[] }
  | { kind: "unauthorized"; message: string; required: string[] }
  | FoundError
  | { kind: "scopes"; report: ScopeReport }
  | FoundCommand
  | { kind: "assertions"; file: AssertionFile }
  | { kind: "repositories"; names: string[] }
  | { kind: "reference"; reference: Reference }
  | FoundUnknown;

/** A scope map as the engine reads it. */
export type ScopeMapSource = ReturnType<typeof readScopeMap>;

export interface FoundScopeMap {
  kind: "scopeMap";
  form: "az" | "arm" | "terraform" | "list" | "lines" | "assertions";
  map: ScopeMapSource;
  /** Where each of the actions begins in the pasted text. */
  at: number[];
}

/** A token of a registry, without its passwords' values. */
export interface FoundToken {
  kind: "token";
  name: string | null;
  scopeMap: string | null;
  status: "enabled" | "disabled" | null;
  registry: string | null;
  /** Null where they are not listed. */
  passwords: { name: string; created: string | null; expiry: string | null }[] | null;
}

export interface FoundError {
  kind: "error";
  text: string;
  meaning: Meaning;
  registry: string | null;
  repository: string | null;
  /** What the failed request needed, as scopes, where the error tells. */
  required: string[];
}

/**
 * What an error says about access. Registries answer `authentication required` both to those who sent no credentials and to
 * those whose credentials are not enough; that is `unknown`. `absent` is the answer to somebody who may look, and finds nothing.
 * `unreachable`: the network or a firewall stood in the way, and nobody was asked about access.
 */
export type Meaning = "denied" | "unauthenticated" | "absent" | "unreachable" | "unknown";

export interface FoundCommand {
  kind: "command";
  client: Client;
  operation: Operation;
  reference: Reference | null;
  /** Where a copy or an import comes from. */
  source: Reference | null;
  /** As it is written: the name of a registry or its host. */
  registry: string | null;
  user: string | null;
  change: Change | null;
}

export type Client = "docker" | "podman" | "skopeo" | "oras" | "helm" | "crane" | "az";

export type Operation =
  | "pull"
  | "push"
  | "manifest-inspect"
  | "login"
  | "inspect"
  | "copy"
  | "list-tags"
  | "delete"
  | "discover"
  | "repo-tags"
  | "manifest-delete"
  | "install"
  | "dependency-update"
  | "show"
  | "ls"
  | "catalog"
  | "digest"
  | "repository-list"
  | "repository-show"
  | "repository-show-tags"
  | "repository-delete"
  | "repository-untag"
  | "repository-update"
  | "manifest-list"
  | "import"
  | "token-create"
  | "token-update"
  | "scope-map-create"
  | "scope-map-update";

/** What a command of `az` does to tokens and scope maps. */
export interface Change {
  token: string | null;
  status: "enabled" | "disabled" | null;
  /** The map's name; `az` makes one up for a token that is created with repositories. */
  scopeMap: string | null;
  /** What the map holds, or what an update adds to it. */
  actions: string[];
  /** Where each of them begins in the pasted text. */
  at: number[];
  removed: string[];
}

export interface FoundUnknown {
  kind: "unknown";
  message: string;
  hint: string | null;
  position: number;
}
