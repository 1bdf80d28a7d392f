/**
 * One value that a show command was asked for with `--query`, and printed alone: a status, the name
 * of a map, an attribute that locks.
 */

import type { Flag, Found, FoundCommand, Lock } from "./found";

/** What the value says, `null` when nothing that is asked here. */
export function queriedBy(command: FoundCommand, printed: string): Found | null {
  const field =
    command.query
      ?.replace(/[[\]'"\s]/g, "")
      .split(".")
      .at(-1)
      ?.toLowerCase() ?? "";
  const value = printed.trim().replace(/^["'](.*)["']$/, "$1");
  if (value === "" || /\s/.test(value)) return null;
  if (command.operation === "token-show") return tokenWith(command, field, value);
  return LOCKED.test(command.operation) ? lockWith(command, field, value) : null;
}

const LOCKED = /^(?:repository|manifest)-(?:show|update)$/;

function tokenWith({ subject, registry }: FoundCommand, field: string, value: string): Found | null {
  if (field !== "status" && field !== "scopemapid") return null;
  const status = value.toLowerCase();
  const isStatus = status === "enabled" || status === "disabled";
  return {
    kind: "token",
    name: subject,
    scopeMap: field === "scopemapid" ? (value.split("/").at(-1) ?? null) : null,
    status: field === "status" ? (isStatus ? status : "unknown") : null,
    registry,
    passwords: null,
    isInPart: true,
  };
}

const ATTRIBUTES: Record<string, "read" | "write" | "delete"> = {
  readenabled: "read",
  writeenabled: "write",
  deleteenabled: "delete",
};

function lockWith({ reference }: FoundCommand, field: string, value: string): Found | null {
  const attribute = ATTRIBUTES[field];
  if (!attribute || !reference || !/^(?:true|false)$/i.test(value)) return null;
  const { registry, repository, tag, digest } = reference;
  const nothing: Record<"read" | "write" | "delete", Flag> = { read: null, write: null, delete: null };
  const lock: Lock = { registry, repository, tag, digest, ...nothing, [attribute]: value.toLowerCase() === "true" };
  return { kind: "lock", lock };
}
