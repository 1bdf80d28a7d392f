/**
 * Scope maps and tokens in Bicep: resources of their own, in their registry, in loops, and what the
 * module for registries takes.
 *
 * A parameter has its default value, unless that is empty and waits for another. What is computed
 * from anything else is unknown.
 */

import { type Resource as Declared, type File, readBicep as readFile } from "../documents/bicep";
import { evaluate, type Node, type Scope, within } from "../documents/expression";
import { MAX_DEPTH, type Path } from "../documents/source-node";
import { HOLE, UNKNOWN } from "../documents/unknown";
import { resourceAt } from "./contents";
import type { Found, Part } from "./found";
import { type Reading, unknown } from "./reading";
import { isResource, type Resource } from "./resource";

/** Reads the statements that begin here. */
export function readBicep(text: string, at: number): Reading | null {
  const file = readFile(text, at);
  if (!file) return null;
  const parts = [...partsOf(file), ...failureOf(file)];
  const nothing = unknown({
    message: "this Bicep file has no scope map or token",
    hint: null,
    position: at,
  });
  return { parts: parts.length > 0 ? parts : [{ from: at, to: file.to, found: nothing }], to: file.to };
}

function failureOf({ to, failure }: File): Part[] {
  if (failure === null) return [];
  const position = Math.min(failure, to);
  const message = "incomplete or unknown Bicep statement";
  return [{ from: position, to, found: unknown({ message, hint: "paste all of it", position }) }];
}

function partsOf(file: File): Part[] {
  const declared = file.statements.flatMap((statement) =>
    statement.kind === "resource" || statement.kind === "module" ? [statement] : [],
  );
  const scope = scopeOf(file, declared);
  return declared.flatMap((each) =>
    each.kind === "module" ? ofModule(each, scope) : ofResource(each, scope, NOWHERE),
  );
}

/** What a resource is in. */
interface Parent {
  type: string;
  name: string;
}

const NOWHERE: Parent = { type: "", name: "" };

/** What the file calls by name. Each is worked out once, and what needs itself is unknown. */
function scopeOf(file: File, declared: Declared[]): Scope {
  const works = new Map<string, () => unknown>();
  const known = new Map<string, unknown>();
  let depth = 0;
  const scope: Scope = {
    call: (name) => (name === "resourcegroup" || name === "subscription" ? UNKNOWN : undefined),
    name: (name) => {
      const work = works.get(name);
      if (!work) return UNKNOWN;
      if (!known.has(name)) {
        known.set(name, UNKNOWN);
        if (++depth < MAX_DEPTH) known.set(name, work());
        depth--;
      }
      return known.get(name);
    },
  };
  for (const statement of file.statements) {
    if (statement.kind === "var") works.set(statement.name, () => evaluate(statement.value, scope));
    if (statement.kind === "param") works.set(statement.name, () => given(statement.value, scope));
  }
  for (const each of declared) noteResource(works, each, scope, () => NOWHERE);
  return scope;
}

/** An empty value waits for another one. */
function given(value: Node | null, scope: Scope): unknown {
  const worked = value ? evaluate(value, scope) : UNKNOWN;
  const isEmpty = worked === "" || (typeof worked === "object" && worked !== null && Object.keys(worked).length === 0);
  return isEmpty ? UNKNOWN : worked;
}

function noteResource(works: Map<string, () => unknown>, declared: Declared, scope: Scope, around: () => Parent): void {
  const bodies = () => bodiesOf(declared, scope, around()).map(({ resource }) => withId(resource));
  works.set(declared.name, () => (declared.body.kind === "loop" ? bodies() : (bodies()[0] ?? UNKNOWN)));
  for (const inner of declared.inner) noteResource(works, inner, scope, () => parentIn(scope.name(declared.name)));
}

function parentIn(resource: unknown): Parent {
  if (!isResource(resource)) return { type: HOLE, name: HOLE };
  return { type: String(resource.type), name: String(resource.whole ?? resource.name) };
}

function withId(resource: Resource): Resource {
  const types = String(resource.type).split("/").slice(1);
  const names = String(resource.name).split("/");
  const path = types.map((type, index) => `/${type}/${names[index] ?? HOLE}`).join("");
  // In an expression the name of a resource is the last one.
  return {
    ...resource,
    id: `/subscriptions/${HOLE}/providers/Microsoft.ContainerRegistry${path}`,
    whole: resource.name,
    name: names.at(-1),
  };
}

interface Body {
  resource: Resource;
  node: Node;
}

/** The resources that a declaration makes, with the whole of their types and names. */
function bodiesOf({ body, type, condition }: Declared, scope: Scope, around: Parent): Body[] {
  const isMade = condition === null || evaluate(condition, scope);
  if (isMade === false) return [];
  const own = bodiesIn(body, type, scope, around);
  if (isMade === true) return own;
  return own.map((each) => ({ ...each, resource: { ...each.resource, condition: UNKNOWN } }));
}

function bodiesIn(body: Node, type: string, scope: Scope, around: Parent): Body[] {
  const whole = around.type === "" ? (type.split("@")[0] ?? "") : `${around.type}/${type.split("@")[0]}`;
  if (body.kind !== "loop") return [{ resource: resourceOf(evaluate(body, scope), whole, around), node: body }];
  const items = evaluate(body.list, scope);
  const copies: unknown[] = Array.isArray(items) ? items.slice(0, MAX_COPIES) : [UNKNOWN];
  return copies.map((item, index) => {
    const names = new Map<string, unknown>([[body.item, item], ...(body.index ? [[body.index, index] as const] : [])]);
    return { resource: resourceOf(evaluate(body.body, within(names, scope)), whole, around), node: body.body };
  });
}

/** More than anybody deploys at once. */
const MAX_COPIES = 50;

function resourceOf(value: unknown, type: string, around: Parent): Resource {
  const own: Resource = isResource(value) ? value : { name: HOLE, properties: UNKNOWN };
  const name = typeof own.name === "string" ? own.name : HOLE;
  const parent = "parent" in own ? parentIn(own.parent) : around;
  return { ...own, type, name: parent.name === "" ? name : `${parent.name}/${name}` };
}

/** Nothing else is looked at. */
const OF_REGISTRIES = /\/(?:scopemaps|tokens)$/i;

function ofResource(declared: Declared, scope: Scope, around: Parent): Part[] {
  const parent = around.type === "" ? NOWHERE : around;
  const bodies = bodiesOf(declared, scope, parent);
  const inside = bodies[0] ? parentIn(bodies[0].resource) : parent;
  const own = declared.isExisting ? [] : bodies.flatMap(({ resource, node }) => partOf(declared, resource, node));
  return [...own, ...declared.inner.flatMap((inner) => ofResource(inner, scope, inside))];
}

function partOf(declared: Declared, resource: Resource, node: Node): Part[] {
  if (!OF_REGISTRIES.test(String(resource.type))) return [];
  const range = { from: declared.from, to: declared.to };
  const document = {
    value: resource,
    at: (path: Path) => offsetOf(node, path),
    node: () => ({ ...range, children: null }),
  };
  const found = resourceAt(document, [], { ...resource, properties: propertiesOf(resource) });
  return found ? [{ ...range, found }, ...computed(found, document.at(["properties", "actions"]))] : [];
}

/** Of properties that are unknown nothing may be taken for left out. */
function propertiesOf({ properties, type }: Resource): unknown {
  if (isResource(properties)) return properties;
  return /tokens$/i.test(String(type)) ? { status: UNKNOWN } : { actions: UNKNOWN };
}

function computed(found: Found, position: number): Part[] {
  if (found.kind !== "scopeMap" || !found.isPart) return [];
  const message = "the rules are computed from values that aren't here";
  const notice = unknown({ message, hint: "paste the output of `az acr scope-map show`", position });
  return [{ from: position, to: position + 1, found: notice }];
}

/** The offset of the node to which a path leads, or of the last one on the way. */
function offsetOf(node: Node, path: Path): number {
  let current = node;
  for (const step of path) {
    const inner =
      current.kind === "object"
        ? current.fields.find(({ name }) => name.kind === "value" && name.value === step)?.value
        : current.kind === "list" && typeof step === "number"
          ? current.items[step]
          : undefined;
    if (!inner) return current.at;
    current = inner;
  }
  return current.at;
}

/** A module for registries takes its maps as a list. */
function ofModule(declared: Declared, scope: Scope): Part[] {
  return bodiesOf(declared, scope, NOWHERE).flatMap(({ resource }) => {
    const params = isResource(resource.params) ? resource.params : {};
    const maps = Array.isArray(params.scopeMaps) ? params.scopeMaps : [];
    const range = { from: declared.from, to: declared.to };
    const document = { value: maps, at: () => declared.body.at, node: () => ({ ...range, children: null }) };
    return maps.filter(isResource).flatMap((map) => {
      const type = "Microsoft.ContainerRegistry/registries/scopeMaps";
      const found = resourceAt(document, [], { registryName: params.name, ...map, type });
      return found ? [{ ...range, found }] : [];
    });
  });
}
