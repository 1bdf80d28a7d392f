/**
 * Scopes: as they are in a token request, and as its address carries them.
 */

import { readScopes } from "../engine";
import { attempt } from "./attempt";
import { lineAt, onePart, type Reading, unknown } from "./reading";

const SCOPE = /^(?:repository|registry|artifact-repository)(?:\([^):]*\))?:/;
const LABEL = /^(?:["']?scopes?["']?\s*[:=]\s*)?["']?/;

/** A line of scopes and nothing else. */
export function readScopeWords(text: string, at: number): Reading | null {
  const line = lineAt(text, at);
  const asked = scopesOfAddress(line) ?? line.slice(LABEL.exec(line)?.[0].length).replace(/["'],?$/, "");
  if (!asked.split(/\s+/).every((word) => SCOPE.test(word))) return null;
  const report = attempt(() => readScopes(asked.replace(/\s/g, " ")));
  const registry = hostOf(line);
  const found =
    report.kind === "read" ? ({ kind: "scopes", report: report.value, registry } as const) : unknown(report, at);
  return onePart(at, at + line.length, found);
}

/** The registry that the address of a token request names. */
function hostOf(line: string): string | null {
  const [, query] = /\?(\S{1,4000})/.exec(line) ?? [];
  const service = query ? new URLSearchParams(query.split(/["'\\]/)[0]).get("service") : null;
  return /^[\w.-]+(?::\d+)?$/.test(service ?? "") ? service : (/https?:\/\/([\w.:-]{1,300})\//.exec(line)?.[1] ?? null);
}

/** The scopes in the address of a token request. */
export function scopesOfAddress(line: string): string | null {
  const query = line.indexOf("?");
  if (query < 0 || !/[?&]scope=/.test(line)) return null;
  const [address = ""] = line.slice(query + 1).split(/["'\s\\]/, 1);
  return new URLSearchParams(address).getAll("scope").join(" ");
}

/** Entries as claims and the details of errors list them, as scopes: one for each resource. */
export function scopesOf(entries: unknown[]): string[] {
  const asked = entries.map(scopeOf).filter((scope) => scope !== null);
  const report = attempt(() => readScopes(asked.join(" ")));
  if (report.kind === "refused") return [];
  return report.value.scopes.map(({ type, name, actions }) => `${type}:${name}:${actions.join(",")}`);
}

function scopeOf(entry: unknown): string | null {
  if (typeof entry !== "object" || entry === null) return null;
  const fields = new Map(Object.entries(entry).map(([key, value]) => [key.toLowerCase(), value]));
  const actions = fields.get("actions") ?? fields.get("action");
  const scope = `${fields.get("type")}:${fields.get("name")}:${Array.isArray(actions) ? actions.join(",") : actions}`;
  return /\s/.test(scope) ? null : scope;
}
