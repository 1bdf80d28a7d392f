/**
 * What a document holds, told by its fields: scope maps, tokens, assertions, error bodies, lists;
 * alone, in lists, or as the resources of an ARM template.
 */

import { type Path, type SourceNode, steps } from "../documents/source-node";
import { UNKNOWN } from "../documents/unknown";
import { readAssertions, readScopeMap, readScopes } from "../engine";
import { isAction } from "./actions";
import { accepted, attempt, type Refused } from "./attempt";
import { errorsOf } from "./errors";
import type { Found, FoundScopeMap, Part } from "./found";
import { keptAt } from "./kept";
import { isLock, lockOf } from "./lock";
import { areRepositories } from "./names";
import { unknown } from "./reading";
import { isResource, isWritten, type Resource, typeOf, written } from "./resource";
import { scopesOf } from "./scopes";
import { hasExpression, isTemplate, templates } from "./templates";
import { isToken, tokenOf } from "./token";

/** A document that was read, or a piece of it. */
interface Document {
  value: unknown;
  at(path: Path): number;
  node(path: Path): SourceNode;
}

/** The parts in a document that takes this range of the text. */
export function contents(document: Document, range: { from: number; to: number }): Part[] {
  return contentsAt(document, [], document.value).map(({ path, found }) => {
    const { from, to } = path.length > 0 ? document.node(path) : range;
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
  if (isTemplate(value)) return templateAt(document, path, value);
  if ("assertions" in value || "scopeMaps" in value) return assertionsAt(document, path, value);
  if (Array.isArray(value.errors)) return [{ path, found: errorsOf(value.errors) }];
  return thingAt(document, path, value) ?? [...jwtsAt(path, value), ...insideOf(document, path, value)];
}

/** A scope map, a token, or what else is one thing and not a place for others. */
function thingAt(document: Document, path: Path, value: Resource): Content[] | null {
  if (isLock(value)) return [{ path, found: { kind: "lock", lock: lockOf(value) } }];
  const resource = hasExpression(value) ? templates()?.evaluatedAlone(value) : value;
  if (!resource) return waiting(document, path);
  const found = resourceAt(document, path, resource);
  if (found) return [{ path, found }];
  const scopes = Array.isArray(value.access) ? scopesOf(value.access) : [];
  if (scopes.length > 0) return [{ path, found: { kind: "scopes", report: readScopes(scopes.join(" ")) } }];
  const kept = keptAt(value);
  return kept && [{ path, found: kept }];
}

/** The resources of a template have been evaluated. */
function templateAt(document: Document, path: Path, value: Resource): Content[] {
  const read = templates();
  if (!read) return waiting(document, path);
  return read.resourcesOf(value, path).flatMap(({ path: own, resource }): Content[] => {
    const found = resourceAt(document, own, resource);
    return found ? [{ path: own, found }] : [];
  });
}

function waiting(document: Document, path: Path): Content[] {
  const message = "loading the reader of ARM templates…";
  return [{ path, found: unknown({ message, hint: null, position: document.at(path) }) }];
}

/**
 * The conditions under which a resource is there for certain. An expression that could not
 * be evaluated stays a text, and is not a condition.
 */
const HOLDS: unknown[] = [undefined, true, "true"];

/** The token or the scope map that a resource is. */
export function resourceAt(document: Document, path: Path, resource: Resource): Found | null {
  const isConditional = !HOLDS.includes(resource.condition);
  if (isToken(resource)) {
    const token = tokenOf(resource);
    return isConditional && token.status !== "disabled" ? { ...token, status: "unknown" } : token;
  }
  const found = mayBeScopeMap(resource, path) ? scopeMapAt(document, path, resource) : null;
  return isConditional && found?.kind === "scopeMap" ? { ...found, isConditional } : found;
}

/** Where lists of resources are: in templates, in the answers to list requests, in a catalog. */
const LISTS = ["resources", "value", "repositories"];

/**
 * What is not so, or not so any more: in the plans of Terraform, and beside what is known of them.
 */
const NOT_SO = /^(?:before|prior_state|configuration|.*(?:sensitive|unknown).*|resource_drift)$/;

function insideOf(document: Document, path: Path, value: Resource): Content[] {
  return Object.entries(value).flatMap(([field, inner]) => {
    if (NOT_SO.test(field) || (field === "planned_values" && "resource_changes" in value)) return [];
    const inside = [...path, field];
    if (Array.isArray(inner))
      return LISTS.includes(field) || inner.some(isResource) ? listAt(document, inside, inner) : [];
    return isResource(inner) ? contentsAt(document, inside, inner) : [];
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

/**
 * Whether the engine is asked if a resource is a scope map. Without a type, and away from where a
 * document has its resources, changes and rules of other things have actions as well.
 */
function mayBeScopeMap(value: Resource, path: Path): boolean {
  const { actions } = "actions" in value ? value : propertiesOf(value);
  if (typeOf(value) !== null || isOfDocument(path)) return actions !== undefined;
  return Array.isArray(actions) && actions.some((action) => typeof action === "string" && isAction(action));
}

/** What a document is about, and not only somewhere in it. */
function isOfDocument(path: Path): boolean {
  return path.every((step) => typeof step === "number" || LISTS.includes(step));
}

function propertiesOf(value: Resource): Resource {
  return isResource(value.properties) ? value.properties : {};
}

const FORMS: Record<string, FoundScopeMap["form"]> = {
  "": "list",
  actions: "az",
  "properties.actions": "arm",
};

/** What the engine makes of a list or a resource; `null` where that is no scope map. */
function scopeMapAt(document: Document, path: Path, value: unknown, form?: FoundScopeMap["form"]): Found | null {
  const { map: known, indices, isPart } = withKnownActions(value);
  const read = attempt(() => readScopeMap(known));
  if (read.kind === "refused") return refusedAt(document, path, read);
  const map = read.value;
  if (!map) return null;
  return {
    kind: "scopeMap",
    form: form ?? FORMS[map.path] ?? "az",
    map: { ...map, name: written(map.name), registry: written(map.registry) },
    at: indices.map((index) => document.at([...path, ...steps(map.path), index])),
    ...(isPart ? { isPart } : {}),
  };
}

interface Known {
  map: unknown;
  indices: number[];
  isPart?: true;
}

/** A map with those of its actions that are written out, and which of them these are. */
function withKnownActions(value: unknown): Known {
  if (!isResource(value)) return known(value, (actions) => actions);
  if ("actions" in value) return known(value.actions, (actions) => ({ ...value, actions }));
  const properties = propertiesOf(value);
  return known(properties.actions, (actions) => ({ ...value, properties: { ...properties, actions } }));
}

function known(actions: unknown, map: (actions: unknown) => unknown): Known {
  const isList = Array.isArray(actions);
  // What is neither, the engine says.
  if (!isList && !isComputed(actions)) return { map: map(actions), indices: [] };
  const items: [number, unknown][] = isList ? [...actions.entries()] : [];
  const written = items.filter(([, action]) => !isComputed(action));
  const result = { map: map(written.map(([, action]) => action)), indices: written.map(([index]) => index) };
  return isList && written.length === items.length ? result : { ...result, isPart: true };
}

function isComputed(value: unknown): boolean {
  return value === UNKNOWN || (typeof value === "string" && !isWritten(value));
}

function assertionsAt(document: Document, path: Path, value: Resource): Content[] {
  const read = attempt(() => readAssertions(value));
  if (read.kind === "refused") return [{ path, found: refusedAt(document, path, read) }];
  const maps = read.value.scopeMaps.flatMap((map, index): Content[] => {
    const own = [...path, "scopeMaps", index];
    const found = typeof map === "string" ? null : scopeMapAt(document, own, map, "assertions");
    return found ? [{ path: own, found }] : [];
  });
  return [{ path, found: { kind: "assertions", file: read.value } }, ...maps];
}

function refusedAt(document: Document, path: Path, refused: Refused): Found {
  return unknown(refused, document.at([...path, ...steps(refused.path)]));
}

const TOKEN_FIELDS = ["access_token", "accessToken", "token", "refresh_token", "refreshToken", "identitytoken"];

/**
 * The answer of a token server, or what `az acr login --expose-token` prints: there one token
 * is under two names.
 */
function jwtsAt(path: Path, value: Resource): Content[] {
  const tokens = new Map<string, string>();
  for (const field of TOKEN_FIELDS) {
    const [token] = /^eyJ[\w.-]+/.exec(String(value[field])) ?? [];
    if (token && !tokens.has(token)) tokens.set(token, field);
  }
  return [...tokens].map(([token, field]) => ({ path: [...path, field], found: { kind: "jwt", token } }));
}
