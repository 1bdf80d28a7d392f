/** The file that `scopegate test` runs in CI: the maps and the assertions of the page. */

import type { AssertionFile } from "../engine";
import type { Model } from "./model";

export function assertionFile(model: Model): AssertionFile {
  return {
    scopeMaps: model.maps.map(({ name, actions }) => ({ ...(name ? { name } : {}), actions: [...actions] })),
    catalog: model.catalog,
    assertions: model.assertions.map((assertion) => ({ ...assertion })),
  };
}

/** As YAML. Every text is quoted as JSON quotes it, which YAML reads alike. */
export function toYaml({ scopeMaps, catalog, assertions }: AssertionFile): string {
  const maps = scopeMaps.flatMap((map) => {
    if (typeof map === "string") return [`  - ${quote(map)}`];
    const actions = map.actions.map((action) => `      - ${quote(action)}`);
    const [first, indent] = map.name ? [`  - name: ${quote(map.name)}\n    `, ""] : ["  - ", ""];
    return [`${first}${indent}actions:${actions.length > 0 ? "" : " []"}`, ...actions];
  });
  const list = assertions.flatMap(({ allow, deny, why }) => [
    `  - ${allow !== undefined ? `allow: ${quote(allow)}` : `deny: ${quote(deny ?? "")}`}`,
    ...(why ? [`    why: ${quote(why)}`] : []),
  ]);
  return [
    "# run with: scopegate test access.yaml",
    "scopeMaps:",
    ...maps,
    `catalog: ${catalog}`,
    assertions.length > 0 ? "assertions:" : "assertions: []",
    ...list,
    "",
  ].join("\n");
}

function quote(text: string): string {
  return JSON.stringify(text);
}
