/**
 * What a document holds, told by its fields: scope maps, tokens, assertions, error bodies, lists; alone, in lists, or as the
 * resources of an ARM template.
 */

import { type Path, type Place, steps } from "../documents/place";
import { readAssertions, readScopeMap, readScopes } from "../engine";
import { isAction } from "./actions";
import { accepted, attempt, type Refused } from "./attempt";
import { errorsOf } from "./errors";
import type { Found, FoundScopeMap, Part, ScopeMapSource } from "./found";
import { isLock, lockOf } from "./lock";
import { areRepositories } from "./names";
import { unknown } from "./reading";
import { isResource, nameOf, type Resource, registryOf, typeOf } from "./resource";
import { scopesOf } from "./scopes";
import { isToken, tokenOf } from "./token";

/** A document that was read, or a piece of it. */
interface Document {
  value: unknown;
  at(path: Path): number;
  place(path: Path): Place;
}

/** The parts in a document that takes this range of the text. */
export function contents(document: Document, range: { from: number; to: number }): Part[] {
  return contentsAt(document, [], document.value).map(({ path, found }) => {
    const { from, to } = path.length > 0 ? document.place(path) : range;
    return { from, to, found };
  });
}

interface Content {
  path: Path;
  found: Found;
}

function contentsAt(document: Document, path: Path, value: unknown): Content[] {
  if (Array.isArray(value)) return listAt(document, path, value);
  if (!isResource(value)) return [];
  if ("assertions" in value || "scopeMaps" in value) return assertionsAt(document, path, value);
  if (Array.isArray(value.errors)) return [{ path, found: errorsOf(value.errors) }];
  if (isLock(value)) return [{ path, found: { kind: "lock", lock: lockOf(value) } }];
  if (isToken(value)) return [{ path, found: tokenOf(value) }];
  if (isScopeMap(value)) return [{ path, found: scopeMapAt(document, path, value) }];
  const scopes = Array.isArray(value.access) ? scopesOf(value.access) : [];
  if (scopes.length > 0) return [{ path, found: { kind: "scopes", report: readScopes(scopes.join(" ")) } }];
  return [...jwtsAt(path, value), ...insideOf(document, path, value)];
}

/** Where lists of resources stand: in templates, in the answers to list requests, in a catalog. */
function insideOf(document: Document, path: Path, value: Resource): Content[] {
  return ["resources", "value", "repositories"].flatMap((field) => {
    const inner = value[field];
    const items = field === "resources" && isResource(inner) ? Object.entries(inner) : [];
    if (Array.isArray(inner)) return listAt(document, [...path, field], inner);
    return items.flatMap(([key, item]) => contentsAt(document, [...path, field, key], item));
  });
}

function listAt(document: Document, path: Path, items: unknown[]): Content[] {
  if (!items.every((item) => typeof item === "string")) {
    return items.flatMap((item, index) => contentsAt(document, [...path, index], item));
  }
  const found = listOf(document, path, items);
  return found ? [{ path, found }] : [];
}

/** What a list of strings is, its first item tells. */
function listOf(document: Document, path: Path, items: string[]): Found | null {
  const [first] = items;
  if (first === undefined) return null;
  if (isAction(first)) return scopeMapAt(document, path, items);
  if (areRepositories(items)) return { kind: "repositories", names: items };
  return listed(items);
}

function listed(scopes: string[]): Found | null {
  const report = accepted(() => readScopes(scopes.join(" ")));
  return report && report.scopes.length > 0 ? { kind: "scopes", report } : null;
}

/** The entries of a token have actions as well, and are of other types. */
function isScopeMap(value: Resource): boolean {
  const type = typeOf(value);
  if (type !== null && !type.endsWith("scopemaps")) return false;
  return "actions" in value || (isResource(value.properties) && "actions" in value.properties);
}

const FORMS: Record<string, FoundScopeMap["form"]> = {
  "": "list",
  actions: "az",
  "properties.actions": "arm",
};

function scopeMapAt(document: Document, path: Path, value: unknown, form?: FoundScopeMap["form"]): Found {
  const read = attempt(() => readScopeMap(value));
  if (read.kind === "refused") return refusedAt(document, path, read);
  const at = read.value.actions.map((_, index) => document.at([...path, ...steps(read.value.path), index]));
  return {
    kind: "scopeMap",
    form: form ?? FORMS[read.value.path] ?? "az",
    map: named(read.value, value),
    at,
  };
}

/** A resource in a template is named after its registry: `registry/map`. */
function named(map: ScopeMapSource, value: unknown): ScopeMapSource {
  if (!isResource(value)) return map;
  return { ...map, name: nameOf(value), registry: map.registry ?? registryOf(value) };
}

function assertionsAt(document: Document, path: Path, value: Resource): Content[] {
  const read = attempt(() => readAssertions(value));
  if (read.kind === "refused") return [{ path, found: refusedAt(document, path, read) }];
  const maps = read.value.scopeMaps.flatMap((map, index): Content[] => {
    const place = [...path, "scopeMaps", index];
    return typeof map === "string" ? [] : [{ path: place, found: scopeMapAt(document, place, map, "assertions") }];
  });
  return [{ path, found: { kind: "assertions", file: read.value } }, ...maps];
}

function refusedAt(document: Document, path: Path, refused: Refused): Found {
  return unknown(refused, document.at([...path, ...steps(refused.path)]));
}

const TOKEN_FIELDS = ["access_token", "accessToken", "token", "refresh_token", "refreshToken", "identitytoken"];

/** The answer of a token server, or what `az acr login --expose-token` prints: there one token stands under two names. */
function jwtsAt(path: Path, value: Resource): Content[] {
  const tokens = new Map<string, string>();
  for (const field of TOKEN_FIELDS) {
    const [token] = /^eyJ[\w.-]+/.exec(String(value[field])) ?? [];
    if (token && !tokens.has(token)) tokens.set(token, field);
  }
  return [...tokens].map(([token, field]) => ({ path: [...path, field], found: { kind: "jwt", token } }));
}
