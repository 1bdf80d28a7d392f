/**
 * The cmdlets of Az.ContainerRegistry for scope maps and tokens:
 * `New-AzContainerRegistryScopeMap -Name ci -Action "…"`.
 *
 * Follows <https://learn.microsoft.com/powershell/module/az.containerregistry>. The actions of an
 * update take the place of those before. Left out: objects from a pipe, and parameters that a hash
 * table holds.
 */

import { endOfLine } from "../../documents/extent";
import type { Change, Operation, TokenStatus } from "../found";
import { lineAt, onePart, type Reading } from "../reading";
import { isVariable } from "./az";
import { azCommand } from "./az-rest";

const CMDLET =
  /^(?:PS [^>\n]{0,200}>\s*)?(?:\$\w{1,60}\s*=\s*)?(New|Update|Remove|Set)-AzContainerRegistry(ScopeMap|Token)\b(?!\s?:)/i;

/** Real commands are shorter. */
const MAX_LINES = 20;

export function readCmdlet(text: string, at: number): Reading | null {
  const [whole, verb = "", kind = ""] = CMDLET.exec(lineAt(text, at).slice(0, 400)) ?? [];
  if (!whole) return null;
  const to = endOfCommand(text, at);
  const given = parametersIn(text.slice(at + whole.length, to));
  const isToken = kind.toLowerCase() === "token";
  const does = DOES[verb.toLowerCase()] ?? "changes";
  const change = isToken ? tokenChange(given, does) : mapChange(given, does);
  const operation =
    `${isToken ? "token" : "scope-map"}-${{ creates: "create", changes: "update", deletes: "delete" }[does]}` as Operation;
  return onePart(at, to, azCommand(operation, firstOf(given, "registryname"), change));
}

const DOES: Record<string, Change["does"]> = { new: "creates", remove: "deletes" };

/** A backtick at the end of a line makes it go on. */
function endOfCommand(text: string, at: number): number {
  let to = endOfLine(text, at);
  for (
    let count = 0;
    count < MAX_LINES && /`\s*$/.test(text.slice(Math.max(at, to - 20), to)) && to < text.length;
    count++
  ) {
    to = endOfLine(text, to + 1);
  }
  return to;
}

type Given = Map<string, string[]>;

/** The values of each parameter by its name in lower case. */
function parametersIn(text: string): Given {
  const given: Given = new Map();
  let values: string[] = [];
  for (const [word, , double, single] of text.matchAll(/(?:"([^"\n]*)"|'([^'\n]*)'|[^\s"',;|()@`]+)/g)) {
    const [, name] = /^-([A-Za-z]\w*):?$/.exec(word) ?? [];
    const value = double ?? single ?? word.replace(/^["']|["']$/g, "");
    if (!name) values.push(value);
    else {
      values = [];
      given.set(name.toLowerCase(), values);
    }
  }
  return given;
}

function firstOf(given: Given, name: string): string | null {
  return given.get(name)?.[0] ?? null;
}

const NOTHING = { status: null, actions: [], at: [], removed: [], passwords: null, open: null };

function mapChange(given: Given, does: Change["does"]): Change {
  const written = given.get("action") ?? given.get("actions") ?? [];
  const actions = written.filter((action) => !isVariable(action));
  const isReplaced = does === "changes" && given.has("action");
  const open = actions.length < written.length ? "any" : null;
  const scopeMap = firstOf(given, "name");
  return { ...NOTHING, does: isReplaced ? "creates" : does, token: null, scopeMap, actions, open };
}

function tokenChange(given: Given, does: Change["does"]): Change {
  const status = firstOf(given, "status")?.toLowerCase() ?? null;
  const isKnown = status === null || status === "enabled" || status === "disabled";
  const map = firstOf(given, "scopemapid")?.split("/").at(-1) ?? null;
  return {
    ...NOTHING,
    does,
    token: firstOf(given, "name"),
    status: isKnown ? (status as TokenStatus | null) : "unknown",
    scopeMap: map !== null && isVariable(map) ? null : map,
  };
}
