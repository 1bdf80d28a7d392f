/**
 * What can be in a pasted text.
 */

import type { AssertionFile, Challenge, Reference, ScopeReport, WrittenScopeMap } from "../engine";

/**
 * A piece of the pasted text, in UTF-16 units. Only the maps inside a file of assertions lie
 * within another part.
 */
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
  | { kind: "scopes"; report: ScopeReport; registry?: string | null }
  | FoundCommand
  | { kind: "assertions"; file: AssertionFile }
  | { kind: "repositories"; names: string[] }
  | { kind: "reference"; reference: Reference }
  | { kind: "lock"; lock: Lock }
  | FoundPasswords
  | FoundChange
  | FoundUnknown;

export interface FoundScopeMap {
  kind: "scopeMap";
  form: "az" | "arm" | "terraform" | "list" | "lines" | "assertions";
  map: WrittenScopeMap;
  /** Where each of the actions begins in the pasted text. */
  at: number[];
  /** Whether it has rules that are computed from values that aren't here. */
  isPart?: true;
  /** Whether it is made at all depends on what is not here. */
  isConditional?: true;
  /** What other blocks of Terraform call it. */
  address?: string;
}

/** A token of a registry, without its passwords' values. */
export interface FoundToken {
  kind: "token";
  name: string | null;
  scopeMap: string | null;
  status: TokenStatus | null;
  registry: string | null;
  /** Null where they are not listed. */
  passwords: Password[] | null;
  /** What other blocks of Terraform call it, and what it calls its map. */
  address?: string;
  scopeMapAddress?: string | null;
  /** Whether it has a map that is computed from what is not here. */
  hasUnknownMap?: true;
  /** Whether this is one of its fields alone: the others stay as they were. */
  isInPart?: true;
}

/** `unknown` where it is computed from what is not here. */
export type TokenStatus = "enabled" | "disabled" | "unknown";

export interface Password {
  name: string;
  created: string | null;
  /** Null for one that never ends. An invalid date is computed, and not known. */
  expiry: string | null;
}

/** The passwords of a token, where they are kept apart from it. */
export interface FoundPasswords {
  kind: "passwords";
  token: string | null;
  tokenAddress?: string | null;
  passwords: Password[];
}

/** A change that is no command of a client. */
export interface FoundChange {
  kind: "change";
  registry: string | null;
  change: Change;
}

/** What may be done with an image whatever the rights are; `null` where nothing is said of it. */
export interface Lock {
  registry: string | null;
  repository: string | null;
  tag: string | null;
  digest: string | null;
  read: Flag;
  write: Flag;
  delete: Flag;
}

export type Flag = boolean | "unknown" | null;

export interface FoundError {
  kind: "error";
  text: string;
  errorClass: ErrorClass;
  registry: string | null;
  repository: string | null;
  /** What the failed request needed, as scopes, where the error tells. */
  required: string[];
}

/**
 * What an error says about access. Registries answer `authentication required` both to those who
 * sent no credentials and to those whose credentials are not enough; that is `unknown`. `absent` is
 * the answer to a caller who may look, and finds nothing. `unreachable`: the network or a firewall
 * was in the way, and access was not checked. `unavailable`: the registry could not
 * answer. `locked`: it would have, and the image or its repository is locked.
 */
export type ErrorClass = "denied" | "locked" | "unauthenticated" | "absent" | "unavailable" | "unreachable" | "unknown";

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
  /** The token or the scope map that it shows, and what of it. */
  subject: string | null;
  query?: string | null;
  change: Change | null;
  lock: Lock | null;
  /** `refused`: the client does not take what is written. `failed`: what it printed says so. */
  outcome: "refused" | "failed" | null;
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
  | "manifest-show"
  | "manifest-update"
  | "import"
  | "registry-delete"
  | "token-create"
  | "token-delete"
  | "token-show"
  | "token-update"
  | "token-credential-delete"
  | "token-credential-generate"
  | "scope-map-create"
  | "scope-map-delete"
  | "scope-map-show"
  | "scope-map-update";

/** What a command of `az` does to tokens and scope maps. */
export interface Change {
  does: "creates" | "changes" | "deletes";
  token: string | null;
  status: TokenStatus | null;
  /** The map's name; `az` makes one up for a token that is created with repositories. */
  scopeMap: string | null;
  /** What the map holds, or what an update adds to it. */
  actions: string[];
  /** Where each of them begins in the pasted text. */
  at: number[];
  removed: string[];
  passwords: PasswordChange | null;
  /**
   * What it does besides, hidden by a variable: `more` adds rules, `any` may take some away.
   */
  open: "more" | "any" | null;
}

export interface PasswordChange {
  /** The names of those that it regenerates, all with the same end. */
  made: string[];
  expiry: string | null;
  deleted: string[];
}

export interface FoundUnknown {
  kind: "unknown";
  message: string;
  hint: string | null;
  position: number;
  /** A scope map that is only named. */
  named?: { address: string; name: string | null };
}
