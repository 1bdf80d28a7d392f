/**
 * `az rest` and `az resource delete`: what they do to a scope map or a token that they name by its
 * id.
 *
 * A resource that is put is the body and nothing else, and a list of actions that is patched takes
 * the place of the one before. A body that is kept in a file leaves open what the resource is now.
 */

import { accepted } from "../attempt";
import type { Change, FoundCommand, Operation, TokenStatus } from "../found";
import { isResource, type Resource, stringOf } from "../resource";
import { resolved } from "./az-options";
import { readAzArguments } from "./options";
import type { Word } from "./words";

/** The change; `null` for a request that reads, and for one of other resources. */
export function readAzRest(words: Word[]): FoundCommand | null {
  const { given, rest } = readAzArguments(words);
  const name = rest.map(({ text }) => text).join(" ");
  if (name !== "rest" && name !== "resource delete") return null;
  const { options } = resolved(name, given);
  const textOf = (option: string) => options.get(option)?.[0]?.[0]?.text ?? null;
  const id = textOf("--uri") ?? textOf("--ids");
  const method = name === "rest" ? (textOf("--method")?.toLowerCase() ?? "get") : "delete";
  const target = targetOf(id ?? "");
  return target && METHODS.has(method) ? commandOf(target, method, bodyIn(textOf("--body"))) : null;
}

const METHODS = new Set(["put", "patch", "delete"]);

interface Target {
  registry: string;
  isToken: boolean;
  name: string;
}

function targetOf(id: string): Target | null {
  const [, registry, kind = "", name] = /\/registries\/([^/?]+)\/(scopeMaps|tokens)\/([^/?]+)/i.exec(id) ?? [];
  return registry && name ? { registry, isToken: kind.toLowerCase() === "tokens", name } : null;
}

/** The properties in the body; `null` where it is not written in the command. */
function bodyIn(text: string | null): Resource | null {
  const body = accepted(() => JSON.parse(text ?? ""));
  return isResource(body) && isResource(body.properties) ? body.properties : null;
}

function commandOf({ registry, isToken, name }: Target, method: string, properties: Resource | null): FoundCommand {
  const isMap = !isToken;
  const actions = Array.isArray(properties?.actions)
    ? properties.actions.filter((action) => typeof action === "string")
    : [];
  const does =
    method === "delete" ? "deletes" : method === "put" || (isMap && actions.length > 0) ? "creates" : "changes";
  const change: Change = {
    does,
    token: isToken ? name : null,
    status: isToken ? statusOf(properties, does) : null,
    scopeMap: isToken ? (stringOf(properties?.scopeMapId)?.split("/").at(-1) ?? null) : name,
    actions: isMap ? actions : [],
    at: [],
    removed: [],
    passwords: null,
    open: isMap && does !== "deletes" && properties === null ? "any" : null,
  };
  const verb = { deletes: "delete", creates: "create", changes: "update" }[does];
  return azCommand(`${isToken ? "token" : "scope-map"}-${verb}` as Operation, registry, change);
}

function statusOf(properties: Resource | null, does: Change["does"]): TokenStatus | null {
  if (properties === null) return does === "deletes" ? null : "unknown";
  const status = stringOf(properties.status)?.toLowerCase();
  if (status === undefined) return null;
  return status === "enabled" || status === "disabled" ? status : "unknown";
}

/** A change that is made in another way than by `az acr`. */
export function azCommand(operation: Operation, registry: string | null, change: Change): FoundCommand {
  const nothing = { reference: null, source: null, user: null, subject: null, lock: null, outcome: null };
  return { kind: "command", client: "az", operation, registry, change, ...nothing };
}
