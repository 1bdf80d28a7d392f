/**
 * Locks of images and repositories: they decide whatever the rights are.
 *
 * Follows <https://learn.microsoft.com/azure/container-registry/container-registry-image-lock>:
 * what is locked against writing cannot be deleted either. A lock of a repository holds for all
 * that is in it, and a lock of a tag for that tag alone. What is hidden from lists can be pulled,
 * so that attribute is not kept.
 */

import { readScopes } from "../engine";
import type { Flag, Found, Lock, Part } from "../recognise";
import { hostAsked, type Model, type Question } from "./model";
import { isNameOf, labelOf } from "./registry";

/** The locks in a text: what is said last of an image holds. */
export function locksOf(parts: Part[]): Lock[] {
  const locks = new Map<string, Lock>();
  for (const { found } of parts) {
    const lock = lockOf(found);
    if (!lock) continue;
    const key = JSON.stringify([labelOf(lock.registry ?? ""), lock.repository, lock.tag, lock.digest]);
    locks.set(key, merged(locks.get(key), lock));
  }
  return [...locks.values()].filter(({ read, write, delete: deletes }) => [read, write, deletes].some(isSet));
}

function lockOf(found: Found): Lock | null {
  if (found.kind === "lock") return found.lock;
  if (found.kind !== "command" || found.lock === null || found.outcome === "failed") return null;
  return found.outcome === null ? found.lock : uncertain(found.lock);
}

/** A command that may have failed may have locked. */
function uncertain(lock: Lock): Lock {
  const open = (flag: Flag): Flag => (flag === null ? null : "unknown");
  return { ...lock, read: open(lock.read), write: open(lock.write), delete: open(lock.delete) };
}

function merged(before: Lock | undefined, lock: Lock): Lock {
  return {
    ...lock,
    read: lock.read ?? before?.read ?? null,
    write: lock.write ?? before?.write ?? null,
    delete: lock.delete ?? before?.delete ?? null,
  };
}

/** Whether an attribute is set to something else than "allowed". */
function isSet(flag: Flag): boolean {
  return flag === false || flag === "unknown";
}

/** A lock that prevents what is asked. */
export interface Obstacle {
  text: string;
  /** Whether it is known to be about what is asked. */
  isCertain: boolean;
}

/** The locks that prevent what a question asks. */
export function obstacles({ locks, question }: Model, scopes: string): Obstacle[] {
  // What locks may always be changed back.
  const lifts = question.kind === "operation" && question.operation === "az-repository-update";
  return lifts ? [] : locks.flatMap((lock) => obstaclesBy(lock, question, scopes));
}

function obstaclesBy(lock: Lock, question: Question, scopes: string): Obstacle[] {
  const { actions, repositories } = askedBy(scopes);
  const relation = relationOf(lock, question, repositories);
  if (relation === "other") return [];
  const obstacle = (flag: Flag, attribute: string, doing: string, isCertain = true): Obstacle[] =>
    isSet(flag)
      ? [
          {
            isCertain: isCertain && relation === "same" && flag === false,
            text: `${nameOf(lock)} ${flag === false ? "is" : "may be"} locked against ${doing}, whatever rights the token has: \`${lift(lock, attribute)}\` removes the lock`,
          },
        ]
      : [];
  const writes = actions.includes("push") || actions.includes("metadata_write");
  const deletes = actions.includes("delete");
  return [
    ...(writes || deletes
      ? obstacle(lock.write, "write", "writing and deleting", actions.includes("push") || deletes)
      : []),
    ...(deletes ? obstacle(lock.delete, "delete", "deleting") : []),
    // A push looks first for what is there already.
    ...(actions.includes("pull") ? obstacle(lock.read, "read", "reading", !writes) : []),
  ];
}

function askedBy(scopes: string): { actions: string[]; repositories: string[] } {
  const { scopes: entries } = readScopes(scopes);
  const ofRepositories = entries.filter(({ type }) => type === "repository");
  return {
    actions: ofRepositories.flatMap((entry) => entry.actions),
    repositories: ofRepositories.map(({ name }) => name),
  };
}

/** Whether a lock is of what is asked; `maybe` where one of the two does not say enough. */
function relationOf(lock: Lock, question: Question, repositories: string[]): "same" | "maybe" | "other" {
  const label = labelOf(hostAsked(question));
  const own = labelOf(lock.registry ?? "");
  const isHere = own === "" || label === "" || isNameOf(own, label);
  if (!isHere || (lock.repository !== null && !repositories.includes(lock.repository))) return "other";
  const isWhole = lock.tag === null && lock.digest === null;
  if (lock.repository === null) return "maybe";
  if (isWhole) return "same";
  const { tag, digest } = question.kind === "operation" ? question.target : NOT_SAID;
  if (digest !== undefined) return digest === lock.digest ? "same" : "maybe";
  if (tag !== "" && tag === lock.tag) return "same";
  // Which digest a tag has is not known; of another tag it does not matter.
  return tag !== "" && lock.tag !== null && lock.digest === null ? "other" : "maybe";
}

const NOT_SAID = { tag: "", digest: undefined };

function nameOf({ repository, tag, digest }: Lock): string {
  const image = `${repository ?? "an image"}${tag ? `:${tag}` : digest ? `@${digest}` : ""}`;
  return `\`${image}\``;
}

function lift({ registry, repository, tag, digest }: Lock, attribute: string): string {
  return liftCommand(registry ?? "", `${repository ?? "…"}${tag ? `:${tag}` : digest ? `@${digest}` : ""}`, attribute);
}

/** The command that lifts a lock of an image, or of a repository. */
export function liftCommand(registry: string, image: string, attribute: string): string {
  const option = /[:@]/.test(image) ? "--image" : "--repository";
  return `az acr repository update --name ${labelOf(registry) || "…"} ${option} ${image} --${attribute}-enabled true`;
}
