/**
 * A scope map as a resource of an ARM template.
 *
 * Follows
 * <https://learn.microsoft.com/azure/templates/microsoft.containerregistry/registries/scopemaps>. A
 * string in brackets would be an expression there, so what a person wrote in brackets gets another
 * bracket before it.
 */

import type { WholeMap } from "./map";

/** The version of the service's management interface that is stable. */
const API_VERSION = "2023-07-01";

export function armResource(map: WholeMap): string {
  const resource = {
    type: "Microsoft.ContainerRegistry/registries/scopeMaps",
    apiVersion: API_VERSION,
    name: nameOf(map),
    properties: { description: literal(map.description), actions: map.actions.map(literal) },
  };
  return JSON.stringify(resource, null, 2);
}

/** The registry's name comes first; what a template does not know it has as a parameter. */
function nameOf({ registry, name }: WholeMap): string {
  if (registry !== null && name !== "") return literal(`${registry}/${name}`);
  const known = (text: string) => text.replaceAll("'", "''");
  const first = registry === null ? "parameters('registryName'), '" : `'${known(registry)}`;
  return name === "" ? `[concat(${first}/', parameters('scopeMapName'))]` : `[concat(${first}/${known(name)}')]`;
}

function literal(text: string): string {
  return text.startsWith("[") ? `[${text}` : text;
}
