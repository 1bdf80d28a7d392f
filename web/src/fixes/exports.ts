/**
 * A finished scope map as people keep one: commands of `az`, ARM, Bicep, Terraform, JSON, YAML.
 * Loaded when one is wanted.
 *
 * Left out: lines that are not rules, which no registry accepts.
 */

import { readRules } from "../engine";
import { armResource } from "./arm";
import type { WholeMap } from "./map";
import { terraformBlock } from "./terraform";

export type ExportForm = "create" | "update" | "arm" | "bicep" | "terraform" | "json" | "yaml";

export function exported(map: WholeMap, form: ExportForm): string {
  const actions = readRules([...map.actions]).flatMap(({ problem, pattern, permission }) =>
    problem === null ? [`repositories/${pattern}/${permission}`] : [],
  );
  return WRITERS[form]({ ...map, actions: [...new Set(actions)] });
}

const WRITERS: Record<ExportForm, (map: WholeMap) => string> = {
  create: (map) => azCommand("create", "--repository", map, described(map)),
  update: (map) => azCommand("update", "--add-repository", map, []),
  arm: armResource,
  bicep,
  terraform: (map) => terraformBlock(map, []),
  json: ({ name, description, actions }) => JSON.stringify({ name, description, actions }, null, 2),
  yaml: ({ name, description, actions }) =>
    [
      `name: ${JSON.stringify(name)}`,
      `description: ${JSON.stringify(description)}`,
      `actions:${actions.length === 0 ? " []" : ""}`,
      ...actions.map((action) => `  - ${JSON.stringify(action)}`),
      "",
    ].join("\n"),
};

function described({ description }: WholeMap): string[] {
  return description === "" ? [] : ["--description", quoted(description)];
}

/** Each repository has an option of its own, with all of its permissions. */
function azCommand(does: string, option: string, { name, registry, actions }: WholeMap, others: string[]): string {
  const permissions = new Map<string, string[]>();
  for (const action of actions) {
    const [, pattern = "", permission = ""] = /^repositories\/(.*)\/([^/]+\/[^/]+)$/.exec(action) ?? [];
    permissions.set(pattern, [...(permissions.get(pattern) ?? []), permission]);
  }
  const repositories = [...permissions].map(([pattern, all]) => `${option} ${quoted(pattern)} ${all.join(" ")}`);
  const named = [name === "" ? "$SCOPE_MAP" : quoted(name), "--registry", registry ? quoted(registry) : "$REGISTRY"];
  return [`az acr scope-map ${does} --name ${named.join(" ")}`, ...others, ...repositories].join(" ");
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * Follows <https://learn.microsoft.com/azure/azure-resource-manager/bicep/data-types#strings>: `${`
 * begins an expression.
 */
function bicep({ name, registry, description, actions }: WholeMap): string {
  const text = (value: string) =>
    `'${value.replaceAll(/[\\']/g, "\\$&").replaceAll("${", "\\${").replaceAll("\n", "\\n")}'`;
  return [
    "resource registry 'Microsoft.ContainerRegistry/registries@2023-07-01' existing = {",
    `  name: ${registry ? text(registry) : "registryName"}`,
    "}",
    "",
    "resource scopeMap 'Microsoft.ContainerRegistry/registries/scopeMaps@2023-07-01' = {",
    "  parent: registry",
    `  name: ${name === "" ? "scopeMapName" : text(name)}`,
    "  properties: {",
    ...(description === "" ? [] : [`    description: ${text(description)}`]),
    "    actions: [",
    ...actions.map((action) => `      ${text(action)}`),
    "    ]",
    "  }",
    "}",
    "",
  ].join("\n");
}
