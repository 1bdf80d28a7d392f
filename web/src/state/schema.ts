/**
 * Whether a value from elsewhere, a link or the browser's memory, is a model. Whatever draws may
 * rely on it.
 */

import type { Assertion } from "../engine";
import type { Lock } from "../recognise";
import {
  type Model,
  type Password,
  panels,
  type Question,
  type Reported,
  type ScopeMapDraft,
  type TokenFacts,
  type TokenSettings,
} from "./model";

export function isModel(value: unknown): value is Model {
  return (
    isRecord(value) &&
    isText(value.pasted) &&
    isListOf(value.maps, isMap) &&
    value.maps.length > 0 &&
    (value.old === null || isMap(value.old)) &&
    isCompare(value.compare) &&
    isOneOf(value.catalog, ["root", "never", "filtered"]) &&
    isOneOf(value.profile, ["acr", "distribution"]) &&
    isListOf(value.repositories, isText) &&
    isQuestion(value.question) &&
    (value.reported === null || isReported(value.reported)) &&
    isOneOf(value.whose, ["maps", "token"]) &&
    isText(value.held) &&
    isToken(value.token) &&
    isListOf(value.locks, isLock) &&
    isListOf(value.assertions, isAssertion) &&
    isOneOf(value.panel, panels)
  );
}

function isMap(value: unknown): value is ScopeMapDraft {
  return (
    isRecord(value) &&
    isText(value.name) &&
    isText(value.registry) &&
    isText(value.description) &&
    isListOf(value.actions, isText) &&
    (value.known === undefined || isOneOf(value.known, ["partly", "not"]))
  );
}

/** Places of maps, or of the one that was pasted. */
function isCompare(value: unknown): value is Model["compare"] {
  const isIndex = (index: unknown) => index === null || (Number.isSafeInteger(index) && Number(index) >= -1);
  return isRecord(value) && isIndex(value.before) && isIndex(value.after);
}

function isQuestion(value: unknown): value is Question {
  if (!isRecord(value)) return false;
  if (value.kind === "scope") return isText(value.text) && (value.registry === undefined || isText(value.registry));
  const target = value.target;
  return (
    value.kind === "operation" &&
    isText(value.operation) &&
    isRecord(target) &&
    ["registry", "repository", "tag", "source"].every((field) => isText(target[field])) &&
    (target.digest === undefined || isText(target.digest))
  );
}

function isReported(value: unknown): value is Reported {
  return (
    isRecord(value) &&
    isOneOf(value.meaning, ERROR_CLASSES) &&
    (value.repository === null || isText(value.repository)) &&
    isText(value.asked)
  );
}

const ERROR_CLASSES = ["denied", "locked", "unauthenticated", "absent", "unavailable", "unreachable", "unknown"];

function isToken(value: unknown): value is TokenSettings {
  return (
    isRecord(value) &&
    isText(value.name) &&
    isText(value.scopeMap) &&
    isText(value.registry) &&
    typeof value.clock === "number" &&
    isOneOf(value.state, STATES) &&
    (value.facts === undefined || isFacts(value.facts))
  );
}

const STATES = ["enabled", "disabled", "password-expired", "password-regenerated", "deleted", "unknown"];

function isFacts(value: unknown): value is TokenFacts {
  return (
    isRecord(value) &&
    isOneOf(value.status, ["enabled", "disabled", "unknown"]) &&
    (value.passwords === null || isListOf(value.passwords, isPassword)) &&
    (value.hasUnknownMap === undefined || typeof value.hasUnknownMap === "boolean")
  );
}

function isPassword(value: unknown): value is Password {
  return isRecord(value) && isText(value.name) && (value.expiry === null || isText(value.expiry));
}

function isLock(value: unknown): value is Lock {
  return (
    isRecord(value) &&
    ["registry", "repository", "tag", "digest"].every((field) => value[field] === null || isText(value[field])) &&
    ["read", "write", "delete"].every((field) => [true, false, null, "unknown"].some((flag) => flag === value[field]))
  );
}

function isAssertion(value: unknown): value is Assertion {
  return (
    isRecord(value) &&
    Object.entries(value).every(([key, text]) => ["allow", "deny", "why"].includes(key) && isText(text))
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isListOf<T>(value: unknown, is: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every(is);
}

function isOneOf(value: unknown, names: readonly string[]): boolean {
  return isText(value) && names.includes(value);
}
