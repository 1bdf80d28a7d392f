/**
 * Terraform's resources for scope maps and tokens.
 */

import { type Block, type Expression, readBlock } from "../documents/terraform";
import { readScopeMap } from "../engine";
import { attempt } from "./attempt";
import type { Found, Part } from "./found";
import { lineAt, type Reading, unknown } from "./reading";

const BLOCK =
  /^(?:resource|data|provider|variable|output|module|locals|terraform|moved|import)\s*(?:"[^"]*"\s*){0,2}\{/;

export function readTerraform(text: string, at: number): Reading | null {
  if (!BLOCK.test(lineAt(text, at).slice(0, 1000))) return null;
  const block = readBlock(text, at);
  if (!block) return null;
  const found = foundIn(block, at);
  const problems = block.problems.map(({ message, position }): Part => {
    const end = Math.max(position, Math.min(position + 1, block.to));
    return { from: position, to: end, found: unknown({ message, hint: WRITE_OUT, position }) };
  });
  return { parts: [{ from: at, to: block.to, found }, ...problems], to: block.to };
}

const WRITE_OUT = "paste the value that it has, from the output of `terraform show` for example";

function foundIn(block: Block, at: number): Found {
  const [type] = block.labels;
  if (type === "azurerm_container_registry_scope_map") return scopeMapIn(block, at);
  if (type === "azurerm_container_registry_token") return tokenIn(block);
  return unknown({
    message: "a block that holds no scope map and no token",
    hint: null,
    position: at,
  });
}

function scopeMapIn({ attributes }: Block, at: number): Found {
  const list = attributes.get("actions");
  if (list?.kind !== "list") {
    const message = "a scope map without a list of actions that is written out";
    return unknown({ message, hint: WRITE_OUT, position: list?.at ?? at });
  }
  const actions = list.items.map(({ text }) => text);
  const name = stringOf(attributes.get("name"));
  const description = stringOf(attributes.get("description"));
  const map = attempt(() => readScopeMap({ name, description, actions }));
  if (map.kind === "refused") return unknown(map, at);
  const registry = stringOf(attributes.get("container_registry_name"));
  return {
    kind: "scopeMap",
    form: "terraform",
    map: { ...map.value, registry },
    at: list.items.map((item) => item.at),
  };
}

/** Terraform keeps the passwords of a token in a resource of its own. */
function tokenIn({ attributes }: Block): Found {
  const enabled = attributes.get("enabled");
  return {
    kind: "token",
    name: stringOf(attributes.get("name")),
    scopeMap: stringOf(attributes.get("scope_map_id"))?.split("/").at(-1) ?? null,
    status: enabled?.kind === "other" && enabled.text === "false" ? "disabled" : "enabled",
    registry: stringOf(attributes.get("container_registry_name")),
    passwords: null,
  };
}

function stringOf(expression: Expression | undefined): string | null {
  return expression?.kind === "string" ? expression.text : null;
}
