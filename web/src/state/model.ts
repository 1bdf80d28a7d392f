/**
 * What a person has put into the page: all of it, and nothing that follows from it.
 *
 * This is what a link carries and what is kept locally. Answers are never in it: they are asked of
 * the engine again.
 */

import type { Assertion, Catalog, Profile } from "../engine";
import type { ErrorClass, Lock, TokenStatus } from "../recognise";

/** A scope map as it is being written: its actions may be no rules yet. */
export interface ScopeMapDraft {
  name: string;
  registry: string;
  description: string;
  actions: string[];
  /**
   * How far it is known, where a text did not say all of it: `partly` when it may have more rules
   * than are here, `not` when those that are here may be gone.
   */
  known?: "partly" | "not" | undefined;
}

/**
 * What is asked: a scope, of a registry where it is known which, or an operation of a client.
 */
export type Question =
  | { kind: "scope"; text: string; registry?: string | undefined }
  | { kind: "operation"; operation: string; target: Target };

/** The registry that is asked, as its host or its name; nothing where it is not known which. */
export function hostAsked(question: Question): string {
  return question.kind === "operation" ? question.target.registry : (question.registry ?? "");
}

/** What an operation of a client is about. */
export interface Target {
  registry: string;
  repository: string;
  tag: string;
  /** Where the image is named by it. */
  digest?: string | undefined;
  source: string;
}

/** Whose rights are looked at: those of the scope maps, or those that a token holds already. */
export type Subject = "maps" | "token";

/** What one can do to the token that would be issued. */
export interface TokenSettings {
  name: string;
  /** The name of its scope map, where it is known. */
  scopeMap: string;
  /** The registry that it is of, where it is known. */
  registry: string;
  /** Seconds by which the clock is moved from the moment of issue. */
  clock: number;
  state: "enabled" | "disabled" | "password-expired" | "password-regenerated" | "deleted" | "unknown";
  /** What the state follows from, where a text said it. */
  facts?: TokenFacts | undefined;
}

export interface TokenFacts {
  status: TokenStatus;
  /** Null where they were not listed. */
  passwords: Password[] | null;
  /** Whether it has a map, and which is not known. */
  hasUnknownMap?: boolean | undefined;
}

export interface Password {
  name: string;
  /** Null for one that never ends; an invalid date is not known. */
  expiry: string | null;
}

/**
 * What a client said when it failed. It holds for as long as nothing is changed that it was said
 * of.
 */
export interface Reported {
  meaning: ErrorClass;
  repository: string | null;
  /** The scopes that it was about, as far as it says. */
  asked: string;
}

/** The name under which an identity of Entra logs in to a registry. */
export const IDENTITY = "00000000-0000-0000-0000-000000000000";

/** The panels below the answer. */
export const panels = ["client", "token", "compare", "tests"] as const;
export type Panel = (typeof panels)[number];

export interface Model {
  pasted: string;
  maps: ScopeMapDraft[];
  /** A map to compare with, as it is written. */
  old: ScopeMapDraft | null;
  /** The places of the maps that are compared; null where the page chooses. */
  compare: { before: number | null; after: number | null };
  catalog: Catalog;
  profile: Profile;
  repositories: string[];
  question: Question;
  reported: Reported | null;
  /** Named as in links, which keep their form. */
  whose: Subject;
  /** A token that was pasted, without its signature. */
  held: string;
  token: TokenSettings;
  /** Locks of images and repositories, as far as the field tells of them. */
  locks: Lock[];
  assertions: Assertion[];
  panel: Panel;
}

/** An untouched page. */
export function blank(): Model {
  return {
    pasted: "",
    maps: [blankMap()],
    old: null,
    compare: { before: null, after: null },
    catalog: "root",
    profile: "acr",
    repositories: [],
    question: { kind: "scope", text: "" },
    reported: null,
    whose: "maps",
    held: "",
    token: { name: "MyToken", scopeMap: "", registry: "", clock: 0, state: "enabled" },
    locks: [],
    assertions: [],
    panel: "client",
  };
}

export function blankMap(): ScopeMapDraft {
  return { name: "", registry: "", description: "", actions: [] };
}
