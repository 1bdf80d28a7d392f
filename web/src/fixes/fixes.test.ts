import { expect, test } from "vitest";

import { Principal } from "../engine";
import { fix, type WholeMap } from "./index";

const map: WholeMap = {
  name: "MyScopeMap",
  description: "Pulls",
  registry: "myregistry",
  actions: ["repositories/samples/*/content/read"],
};

function fixed(changes: Partial<WholeMap> = {}, scope = "repository:samples/nginx:push") {
  const whole = { ...map, ...changes };
  const principal = new Principal("root");
  principal.add(whole.name, [...whole.actions]);
  const [edit] = principal.explain(scope, whole.registry ?? undefined)[0]?.edits ?? [];
  if (edit === undefined) throw new Error("no edit");
  return fix(edit, whole);
}

test("the command is the engine's, and the others hold the whole map", () => {
  const { az, arm, terraform, added } = fixed();
  expect(az).toBe(
    "az acr scope-map update --name MyScopeMap --registry myregistry --add-repository samples/nginx content/write",
  );
  expect(added).toEqual(["repositories/samples/nginx/content/write"]);
  expect(JSON.parse(arm)).toEqual({
    type: "Microsoft.ContainerRegistry/registries/scopeMaps",
    apiVersion: "2023-07-01",
    name: "myregistry/MyScopeMap",
    properties: {
      description: "Pulls",
      actions: ["repositories/samples/*/content/read", "repositories/samples/nginx/content/write"],
    },
  });
  expect(terraform).toBe(`resource "azurerm_container_registry_scope_map" "myscopemap" {
  name                    = "MyScopeMap"
  container_registry_name = "myregistry"
  resource_group_name     = var.resource_group_name
  description             = "Pulls"
  actions = [
    "repositories/samples/*/content/read",
    "repositories/samples/nginx/content/write", # added
  ]
}`);
});

/** `${` as it is in HCL, not in TypeScript. */
const begin = "$".concat("{");

test.each([
  ['say "hi"', '"say \\"hi\\""'],
  ["a\\b", '"a\\\\b"'],
  [`${begin}var.x} and %{if}`, `"$${begin}var.x} and %%{if}"`],
  [`$${begin}x}`, `"$$${begin}x}"`],
  ["100% $5", '"100% $5"'],
  ["two\nlines\tand\u0007", '"two\\nlines\\tand\\u0007"'],
])("a description in HCL: %j", (description, expected) => {
  expect(fixed({ description }).terraform).toContain(`  description             = ${expected}\n`);
});

test.each([
  ["-my-map", '"_-my-map"'],
  ["9-lives", '"_9-lives"'],
  ["Team_A", '"team_a"'],
])("the label of %s", (name, label) => {
  expect(fixed({ name }).terraform).toContain(`scope_map" ${label} {`);
});

test.each([
  ["[concat('a')]", "[[concat('a')]"],
  ["a [b]", "a [b]"],
  ['"quoted"', '"quoted"'],
])("a description in ARM: %j", (description, expected) => {
  expect(JSON.parse(fixed({ description }).arm).properties.description).toBe(expected);
});

test("a registry that is not known is left open", () => {
  const { arm, terraform } = fixed({ registry: null, description: "" });
  expect(JSON.parse(arm).name).toBe("[concat(parameters('registryName'), '/MyScopeMap')]");
  expect(terraform).toContain("container_registry_name = var.registry_name\n");
  expect(terraform).not.toContain("description");
});

test("a map without a name has its name as a parameter", () => {
  const { arm, terraform } = fixed({ name: "" });
  expect(JSON.parse(arm).name).toBe("[concat('myregistry/', parameters('scopeMapName'))]");
  expect(terraform).toContain('"azurerm_container_registry_scope_map" "scope_map"');
  expect(terraform).toContain("name                    = var.scope_map_name\n");
  expect(JSON.parse(fixed({ name: "", registry: null }).arm).name).toBe(
    "[concat(parameters('registryName'), '/', parameters('scopeMapName'))]",
  );
});
