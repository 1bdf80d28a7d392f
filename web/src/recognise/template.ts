/**
 * ARM templates: their resources as they will be, also those in loops, in other resources and in
 * other deployments.
 *
 * Expressions are evaluated as far as the text tells. Follows
 * <https://learn.microsoft.com/azure/azure-resource-manager/templates/syntax>. Parameters have
 * their default values; what is given for them at a deployment is not here. Left out: linked
 * templates.
 */

import { isExpression, readExpression } from "../documents/arm-expression";
import { evaluate, NO_SCOPE, type Scope } from "../documents/expression";
import { MAX_DEPTH, type Path } from "../documents/source-node";
import { HOLE, UNKNOWN } from "../documents/unknown";
import { isResource, type Resource, stringOf } from "./resource";

/** More than anybody deploys at once. */
const MAX_COPIES = 50;

/** What a resource is in. */
interface Around {
  scope: Scope;
  type: string;
  name: string;
}

const NOWHERE: Around = { scope: NO_SCOPE, type: "", name: "" };

/** The resources of a template, each with what it is in. */
export function resourcesOf(template: Resource, path: Path, given: Resource | null = null): Deployed[] {
  const scope = scopeOf(template, given);
  return deployed(template.resources, [...path, "resources"], { ...NOWHERE, scope });
}

export interface Deployed {
  path: Path;
  resource: Resource;
}

function deployed(resources: unknown, path: Path, around: Around): Deployed[] {
  const list = typeof resources === "object" && resources !== null ? Object.entries(resources) : [];
  return list.flatMap(([key, resource]) => {
    const own = [...path, Array.isArray(resources) ? Number(key) : key];
    return isResource(resource) ? copiesOf(resource, own, around) : [];
  });
}

/**
 * A loop gives a resource for each iteration; of one whose number is unknown nothing is known but
 * that it is there.
 */
function copiesOf(resource: Resource, path: Path, around: Around): Deployed[] {
  if (!isResource(resource.copy)) return withInner(resource, path, around);
  const count = valueIn(resource.copy.count, around.scope);
  if (typeof count !== "number" || count > MAX_COPIES) return withInner(resource, path, inCopy(around, UNKNOWN));
  return Array.from({ length: count }, (_, index) => withInner(resource, path, inCopy(around, index))).flat();
}

function inCopy(around: Around, index: unknown): Around {
  const { scope } = around;
  const call: Scope["call"] = (name, given) => {
    if (name !== "copyindex") return scope.call(name, given);
    const offset = given.find((value) => typeof value === "number") ?? 0;
    return typeof index === "number" && typeof offset === "number" ? index + offset : UNKNOWN;
  };
  return { ...around, scope: { ...scope, call } };
}

/** Nothing else is looked at. */
const OF_REGISTRIES = /containerregistry|scopemaps|tokens/i;

function withInner(resource: Resource, path: Path, around: Around): Deployed[] {
  const { resources, ...own } = resource;
  if (stringOf(own.type)?.toLowerCase() === "microsoft.resources/deployments") return ofDeployment(own, path, around);
  if (!OF_REGISTRIES.test(stringOf(own.type) ?? "")) return deployed(resources, [...path, "resources"], around);
  const evaluated = wholeNamed(evaluatedIn(own, around.scope), around);
  if (evaluated.condition === false) return [];
  const inside = { ...around, type: stringOf(evaluated.type) ?? "", name: stringOf(evaluated.name) ?? "" };
  return [{ path, resource: evaluated }, ...deployed(resources, [...path, "resources"], inside)];
}

/** A resource in another one has the last words of its type and of its name. */
function wholeNamed(resource: Resource, around: Around): Resource {
  const type = stringOf(resource.type) ?? "";
  if (around.type === "" || type.includes("/")) return resource;
  return { ...resource, type: `${around.type}/${type}`, name: `${around.name}/${stringOf(resource.name) ?? HOLE}` };
}

/** Another deployment evaluates with its own parameters only where it says so. */
function ofDeployment(deployment: Resource, path: Path, around: Around): Deployed[] {
  const properties = isResource(deployment.properties) ? deployment.properties : {};
  const { template, expressionEvaluationOptions: options } = properties;
  if (!isResource(template)) return [];
  const inside = [...path, "properties", "template"];
  const isInner = isResource(options) && stringOf(options.scope)?.toLowerCase() === "inner";
  if (!isInner) return deployed(template.resources, [...inside, "resources"], around);
  const given = evaluatedIn(isResource(properties.parameters) ? properties.parameters : {}, around.scope);
  return resourcesOf(template, inside, given);
}

/**
 * What the template calls by name. Each value is worked out once, and one that needs itself is
 * unknown.
 */
function scopeOf(template: Resource, given: Resource | null): Scope {
  const known = new Map<string, unknown>();
  let depth = 0;
  const once = (key: string, work: () => unknown): unknown => {
    if (!known.has(key)) {
      known.set(key, UNKNOWN);
      if (++depth < MAX_DEPTH) known.set(key, work());
      depth--;
    }
    return known.get(key);
  };
  const scope: Scope = {
    name: () => UNKNOWN,
    call: (name, [first]) => {
      if ((name !== "parameters" && name !== "variables") || typeof first !== "string") return undefined;
      const key = first.toLowerCase();
      return once(`${name} ${key}`, () =>
        name === "variables" ? variable(template, key, scope) : parameter(template, given, key, scope),
      );
    },
  };
  return scope;
}

function variable(template: Resource, key: string, scope: Scope): unknown {
  const value = fieldOf(template.variables, key);
  return value === undefined ? UNKNOWN : valueIn(value, scope);
}

function parameter(template: Resource, given: Resource | null, key: string, scope: Scope): unknown {
  const own = fieldOf(given, key);
  if (isResource(own) && "value" in own) return own.value;
  const declared = fieldOf(template.parameters, key);
  const value = isResource(declared) && "defaultValue" in declared ? valueIn(declared.defaultValue, scope) : UNKNOWN;
  // An empty value waits for another one.
  const isEmpty = value === "" || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
  return isEmpty ? UNKNOWN : value;
}

function fieldOf(value: unknown, key: string): unknown {
  return isResource(value) ? Object.entries(value).find(([name]) => name.toLowerCase() === key)?.[1] : undefined;
}

/** An object in no template, with its expressions evaluated. */
export function evaluatedAlone(resource: Resource): Resource {
  return evaluatedIn(resource, NO_SCOPE);
}

function evaluatedIn(resource: Resource, scope: Scope): Resource {
  const value = valueIn(resource, scope);
  return isResource(value) ? value : {};
}

function valueIn(value: unknown, scope: Scope): unknown {
  if (typeof value === "string") return textIn(value, scope);
  if (Array.isArray(value)) return value.map((item) => valueIn(item, scope));
  if (!isResource(value)) return value;
  const fields = Object.entries(value).filter(([name]) => name !== "copy");
  const evaluated = fields.map(([name, field]) => [name, valueIn(field, scope)] as const);
  return Object.fromEntries([...evaluated, ...propertyCopies(value.copy, scope)]);
}

function textIn(text: string, scope: Scope): unknown {
  if (isExpression(text)) return evaluate(readExpression(text), scope);
  return text.startsWith("[[") ? text.slice(1) : text;
}

/** `copy` in an object makes lists in it: a name, how many, and what each item is. */
function propertyCopies(copy: unknown, scope: Scope): [string, unknown][] {
  if (!Array.isArray(copy)) return [];
  return copy.filter(isResource).flatMap(({ name, count, input }) => {
    const number = valueIn(count, scope);
    const indices =
      typeof number === "number" && number <= MAX_COPIES ? Array.from({ length: number }, (_, index) => index) : null;
    const item = (index: unknown) => valueIn(input, inCopy({ ...NOWHERE, scope }, index).scope);
    return typeof name === "string"
      ? [[name, indices ? indices.map(item) : [UNKNOWN]] satisfies [string, unknown]]
      : [];
  });
}
