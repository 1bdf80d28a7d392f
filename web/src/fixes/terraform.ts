/**
 * A scope map as a block of Terraform, for the provider `azurerm`.
 *
 * Follows
 * <https://github.com/hashicorp/terraform-provider-azurerm/blob/main/website/docs/r/container_registry_scope_map.html.markdown>,
 * and for strings <https://developer.hashicorp.com/terraform/language/expressions/strings>: `${`
 * and `%{` begin templates and are doubled.
 */

import type { WholeMap } from "./map";

/** Added actions are marked, so that a reader finds them in the list. */
export function terraformBlock(map: WholeMap, added: readonly string[]): string {
  const fresh = new Set(added);
  const actions = map.actions.map((action) => `    ${quoted(action)},${fresh.has(action) ? " # added" : ""}`);
  return [
    `resource "azurerm_container_registry_scope_map" ${quoted(label(map.name || "scope_map"))} {`,
    `  name                    = ${map.name === "" ? "var.scope_map_name" : quoted(map.name)}`,
    `  container_registry_name = ${map.registry === null ? "var.registry_name" : quoted(map.registry)}`,
    "  resource_group_name     = var.resource_group_name",
    ...(map.description === "" ? [] : [`  description             = ${quoted(map.description)}`]),
    "  actions = [",
    ...actions,
    "  ]",
    "}",
  ].join("\n");
}

/** The name of the block: letters, digits, `_` and `-`, not beginning with a digit or a hyphen. */
function label(name: string): string {
  const identifier = name.toLowerCase().replaceAll(/[^a-z0-9_-]/g, "_");
  return /^[a-z_]/.test(identifier) ? identifier : `_${identifier}`;
}

function quoted(text: string): string {
  const escaped = text
    .replaceAll(/["\\]/g, "\\$&")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t")
    .replaceAll(/\p{Cc}/gu, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .replaceAll(/[$%]\{/g, (begin) => `${begin[0]}${begin}`);
  return `"${escaped}"`;
}
