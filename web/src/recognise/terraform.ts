/**
 * Terraform's resources for scope maps, tokens and their passwords: those of `azurerm`, those of
 * `azapi`, and the module for registries.
 *
 * A block names another by its address, which `linked` turns into a name. Left out: the values of
 * variables and locals.
 */

import { type Block, type Expression, readBlock } from "../documents/terraform";
import { systemScopeMaps } from "../engine";
import { DESTROYED, HIDDEN } from "./changes";
import type { Found, FoundScopeMap, FoundToken, Part, Password, TokenStatus } from "./found";
import { deletion, type Reading, unknown } from "./reading";

/** Reads the block that begins here. */
export function readTerraform(text: string, at: number): Reading | null {
  const block = readBlock(text, at);
  if (!block) return null;
  const found = foundIn(block, at);
  const problems = block.problems.map(({ message, position }): Part => {
    const end = Math.max(position, Math.min(position + 1, block.to));
    return { from: position, to: end, found: unknown({ message, hint: WRITE_OUT, position }) };
  });
  const parts = (found.length > 0 ? found : [NOTHING_IN(at)]).map((each) => ({ from: at, to: block.to, found: each }));
  return { parts: [...parts, ...problems], to: block.to };
}

const WRITE_OUT = "paste the resolved value, for example from `terraform show`";

const NOTHING_IN = (position: number): Found =>
  unknown({ message: "this Terraform block has no scope map or token", hint: null, position });

function foundIn(block: Block, at: number): Found[] {
  const [type = ""] = block.labels;
  if (block.type === DESTROYED) return destroyed(block);
  // With a count of nothing there is none.
  if (textOf(block.attributes.get("count")) === "0") return [];
  if (block.type === "module") return moduleIn(block, at);
  if (type === "azurerm_container_registry_scope_map")
    return [block.type === "data" ? dataIn(block, at) : scopeMapIn(block)];
  if (type === "azurerm_container_registry_token" && block.type === "resource") return [tokenIn(block)];
  if (type === "azurerm_container_registry_token_password") return [passwordsIn(block)];
  return type.startsWith("azapi_") ? azapiIn(block) : [];
}

/** What other blocks call it. */
function addressOf({ type, labels }: Block): string {
  return `${type === "data" ? "data." : ""}${labels.join(".")}`;
}

/** The address in a reference such as `azurerm_container_registry_token.ci[0].id`. */
function referenceIn(expression: Expression | undefined): string | null {
  const [address] = /^(?:data\.)?[a-z]\w*\.[\w-]+/.exec(expression?.kind === "other" ? expression.text : "") ?? [];
  return address ?? null;
}

type Fields = ReadonlyMap<string, Expression>;

function scopeMapIn(block: Block): Found {
  const { attributes } = block;
  const registry = stringOf(attributes.get("container_registry_name")) ?? partOfId(attributes.get("id"), "registries");
  return mapOf({ fields: attributes, list: attributes.get("actions"), registry, address: addressOf(block) });
}

interface MapSource {
  /** Where its name and its description are. */
  fields: Fields;
  list: Expression | undefined;
  registry: string | null;
  address?: string | undefined;
}

/** A list that is computed gives a map of which not all is known. */
function mapOf({ fields, list, registry, address }: MapSource): FoundScopeMap {
  const items = list?.kind === "list" ? list.items.flatMap((item) => (item.kind === "string" ? [item] : [])) : [];
  const isWhole = list?.kind === "list" && list.isWhole && items.length === list.items.length;
  const actions = items.map(({ text }) => text);
  const name = stringOf(fields.get("name"));
  const description = stringOf(fields.get("description")) ?? "";
  return {
    kind: "scopeMap",
    form: "terraform",
    map: { name, description, registry, actions, path: "" },
    at: items.map((item) => item.at),
    ...(isWhole ? {} : { isPart: true }),
    ...(isConditional(fields) ? { isConditional: true } : {}),
    ...(address ? { address } : {}),
  };
}

/**
 * A number and a set that are written out make it for certain; whatever is computed may be
 * nothing.
 */
function isConditional(fields: Fields): boolean {
  const count = fields.get("count");
  const each = fields.get("for_each");
  const isNumber = count === undefined || (count.kind === "other" && /^\d+$/.test(count.text));
  const isWritten = each === undefined || each.kind === "object" || (each.kind === "list" && each.items.length > 0);
  return !isNumber || !isWritten;
}

/** A map that is kept elsewhere. The rules of those of the registry's own are known. */
function dataIn(block: Block, at: number): Found {
  const name = stringOf(block.attributes.get("name"));
  const registry = stringOf(block.attributes.get("container_registry_name"));
  const system = systemScopeMaps().find((map) => map.name === name);
  const address = addressOf(block);
  if (!system) {
    const message = "this scope map is defined elsewhere";
    const hint = "paste the output of `az acr scope-map show`";
    return { ...unknown({ message, hint, position: at }), named: { address, name } };
  }
  return {
    kind: "scopeMap",
    form: "terraform",
    map: { ...system, registry },
    at: system.actions.map(() => at),
    address,
  };
}

/** Terraform keeps the passwords of a token in a resource of its own. */
function tokenIn(block: Block): FoundToken {
  const { attributes } = block;
  const map = attributes.get("scope_map_id");
  return {
    kind: "token",
    name: stringOf(attributes.get("name")),
    scopeMap: partOfId(map, "scopeMaps"),
    scopeMapAddress: referenceIn(map),
    status: isConditional(attributes) ? atLeastUnknown(statusIn(attributes)) : statusIn(attributes),
    registry: stringOf(attributes.get("container_registry_name")) ?? partOfId(attributes.get("id"), "registries"),
    passwords: null,
    address: addressOf(block),
    ...unknownMap(map),
  };
}

/** A reference to another block is followed later; anything else that is computed is not known. */
function unknownMap(map: Expression | undefined): { hasUnknownMap?: true } {
  const isKnown =
    map === undefined || map.kind === "string" || /^(?:data\.)?az(?:urerm|api)_/.test(referenceIn(map) ?? "");
  return isKnown ? {} : { hasUnknownMap: true };
}

function atLeastUnknown(status: TokenStatus): TokenStatus {
  return status === "disabled" ? status : "unknown";
}

/** Without a word a token is enabled; a plan may leave the word out. */
function statusIn(fields: Fields): TokenStatus {
  const text = textOf(fields.get("enabled"));
  if (text === "true" || text === "false") return text === "true" ? "enabled" : "disabled";
  return text === null && !fields.has(HIDDEN) ? "enabled" : "unknown";
}

function passwordsIn({ attributes, blocks }: Block): Found {
  const token = attributes.get("container_registry_token_id");
  const passwords = blocks
    .filter(({ type }) => type === "password1" || type === "password2")
    .map(({ type, attributes: own }): Password => ({ name: type, created: null, expiry: textOf(own.get("expiry")) }));
  return { kind: "passwords", token: partOfId(token, "tokens"), tokenAddress: referenceIn(token), passwords };
}

/** `azapi` writes the resource as its API has it. */
function azapiIn(block: Block): Found[] {
  const { attributes } = block;
  const type = stringOf(attributes.get("type"))?.toLowerCase().split("@")[0] ?? "";
  const properties = fieldsOf(fieldsOf(attributes.get("body")).get("properties"));
  const registry =
    partOfId(attributes.get("parent_id"), "registries") ?? partOfId(attributes.get("resource_id"), "registries");
  if (type.endsWith("/scopemaps")) {
    const fields = new Map([...properties, ...attributes]);
    return [mapOf({ fields, list: properties.get("actions"), registry, address: addressOf(block) })];
  }
  if (!type.endsWith("/registries/tokens")) return [];
  const status = stringOf(properties.get("status"))?.toLowerCase();
  const isKnown = status === "enabled" || status === "disabled";
  const map = properties.get("scopeMapId");
  return [
    {
      kind: "token",
      name: stringOf(attributes.get("name")),
      scopeMap: partOfId(map, "scopeMaps"),
      scopeMapAddress: referenceIn(map),
      status: isKnown ? status : properties.has("status") ? "unknown" : "enabled",
      registry,
      passwords: null,
      address: addressOf(block),
      ...unknownMap(map),
    },
  ];
}

/** A module for registries takes its maps as an object, and the tokens of each map in it. */
function moduleIn({ attributes }: Block, at: number): Found[] {
  const registry = stringOf(attributes.get("name"));
  return [...fieldsOf(attributes.get("scope_maps"))].flatMap(([key, value]) => {
    const fields = fieldsOf(value);
    if (fields.size === 0) return [];
    const named = fields.has("name") ? fields : new Map([...fields, ["name", text(key, at)]]);
    const map = mapOf({ fields: named, list: fields.get("actions"), registry });
    return [map, ...tokensOf(fields, stringOf(named.get("name")), registry)];
  });
}

function tokensOf(map: Fields, scopeMap: string | null, registry: string | null): Found[] {
  return [...fieldsOf(map.get("registry_tokens"))].map(([key, value]): FoundToken => {
    const fields = fieldsOf(value);
    const name = fields.has("name") ? stringOf(fields.get("name")) : key;
    return { kind: "token", name, scopeMap, status: statusIn(fields), registry, passwords: null };
  });
}

function text(text: string, at: number): Expression {
  return { kind: "string", text, at };
}

/** What a plan takes away. */
function destroyed({ labels: [type], attributes }: Block): Found[] {
  const kind = /^azurerm_container_registry_(scope_map|token)$/.exec(type ?? "")?.[1];
  const registry = stringOf(attributes.get("container_registry_name"));
  const found = kind ? deletion(registry, stringOf(attributes.get("name")), kind === "token") : null;
  return found ? [found] : [];
}

function fieldsOf(expression: Expression | undefined): Fields {
  return expression?.kind === "object" ? expression.fields : new Map();
}

function stringOf(expression: Expression | undefined): string | null {
  return expression?.kind === "string" ? expression.text : null;
}

/** A string, or the words that are to be evaluated. */
function textOf(expression: Expression | undefined): string | null {
  return expression?.kind === "string" || expression?.kind === "other" ? expression.text : null;
}

/** The name behind a word of an id. */
function partOfId(expression: Expression | undefined, word: string): string | null {
  return new RegExp(`/${word}/([^/]+)`, "i").exec(stringOf(expression) ?? "")?.[1] ?? null;
}
