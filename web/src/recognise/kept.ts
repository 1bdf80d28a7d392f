/**
 * How other tools keep scope maps and tokens in JSON and YAML: the passwords of Terraform's state,
 * and the tasks of Ansible.
 *
 * Maps and tokens in them are found by their fields like any others. Here is what only the field
 * around them says.
 */

import { readScopeMap } from "../engine";
import { accepted } from "./attempt";
import type { Found, Password } from "./found";
import { deletion } from "./reading";
import { isResource, type Resource, stringOf } from "./resource";

export function keptAt(value: Resource): Found | null {
  return passwordsIn(value) ?? taskIn(value) ?? destroyedIn(value);
}

/** `password1` and `password2` are lists of at most one. */
function passwordsIn(value: Resource): Found | null {
  const id = stringOf(value.container_registry_token_id);
  if (id === null) return null;
  const passwords = ["password1", "password2"].flatMap((name) => {
    const list = value[name];
    const all = Array.isArray(list) ? list : [list];
    return all
      .filter(isResource)
      .map(({ expiry }): Password => ({ name, created: null, expiry: stringOf(expiry) || null }));
  });
  return { kind: "passwords", token: id.split("/").at(-1) ?? null, passwords };
}

/** Ansible's modules, with and without the name of their collection. */
const MODULES = /(?:^|\.)azure_rm_(?:containerregistryscopemap|containerregistrytoken|resource)$/;

function taskIn(value: Resource): Found | null {
  const [name, task] = Object.entries(value).find(([field]) => MODULES.test(field)) ?? [];
  if (!name || !isResource(task)) return null;
  const isAbsent = task.state === "absent";
  if (name.endsWith("resource")) return resourceIn(task, isAbsent);
  return isAbsent ? deletion(stringOf(task.registry_name), stringOf(task.name), name.endsWith("token")) : null;
}

/** A resource of any kind is named by a path of types and names. */
function resourceIn({ resource_name, subresource, body }: Resource, isAbsent: boolean): Found | null {
  const paths = Array.isArray(subresource) ? subresource.filter(isResource) : [];
  const map = paths.find(({ type }) => /^scopemaps$/i.test(stringOf(type) ?? ""));
  const registry = stringOf(resource_name);
  if (!map) return null;
  if (isAbsent) return deletion(registry, stringOf(map.name), false);
  const properties = isResource(body) && isResource(body.properties) ? body.properties : {};
  const read = accepted(() => readScopeMap({ name: stringOf(map.name), actions: properties.actions }));
  return read && { kind: "scopeMap", form: "list", map: { ...read, registry }, at: [] };
}

/** What a plan of Terraform takes away, as `terraform show -json` says it. */
function destroyedIn({ type, change }: Resource): Found | null {
  if (!isResource(change) || change.after !== null || !isResource(change.before)) return null;
  const kind = /^azurerm_container_registry_(scope_map|token)$/.exec(stringOf(type) ?? "")?.[1];
  const { name, container_registry_name: registry } = change.before;
  return kind ? deletion(stringOf(registry), stringOf(name), kind === "token") : null;
}
