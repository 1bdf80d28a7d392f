/** Blocks of Terraform's language. */

import { expect, test } from "vitest";
import { type Expression, readBlock } from "./terraform";

function written(expression: Expression): string {
  switch (expression.kind) {
    case "list":
      return `[${expression.items.map(written).join(",")}${expression.isWhole ? "" : ",…"}]`;
    case "object":
      return `{${[...expression.fields].map(([name, field]) => `${name}:${written(field)}`).join(",")}}`;
    case "string":
      return `"${expression.text}"`;
    case "other":
      return expression.text;
  }
}

/** Labels, attributes and problems in one line. */
function read(text: string) {
  const block = readBlock(text, 0);
  if (!block) return null;
  const attributes = [...block.attributes].map(([name, expression]) => `${name}=${written(expression)}`);
  const blocks = block.blocks.map(({ type, labels }) => `${[type, ...labels].join(" ")} {}`);
  const problems = block.problems.map(({ position, message }) => `${position}: ${message}`);
  return [...block.labels, ...attributes, ...blocks, ...problems].join(" | ");
}

test.each([
  ['resource "a" "b" {}', "a | b"],
  ['locals {\n  x = "y"\n}', 'x="y"'],
  ['r "a" {\n x = "q\\"q" // why\n y = true # {\n z = a.b.c["d"].e\n}', 'a | x="q"q" | y=true | z=a.b.c["d"].e'],
  ['r "a" { x = ["b", "c",] }', 'a | x=["b","c"]'],
  ['r "a" {\n x = [\n "b", /* ] */\n # ]\n "c"\n ]\n}', 'a | x=["b","c"]'],
  ['r "a" {\n x = <<-EOT\n   } "\n   EOT\n y = 1\n}', 'a | x=<<-EOT\n   } "\n   EOT | y=1'],
  ['r "a" {\n b {\n x = 1\n }\n y = 2\n}', "a | y=2 | b {}"],
  ['r "a" {\n b "c" { x = 1 }\n y = 2\n}', "a | y=2 | b c {}"],
  ['r "a" {\n x = concat(["b"], ["c"])\n y = 2\n}', 'a | x=["b","c"] | y=2'],
  ['r "a" { x = concat(["b"], c.d) }', 'a | x=["b",…] | 26: the item is an expression, so it can\'t be read here'],
  ['r "a" { x = jsonencode({ y = { z = ["b"], "w" : true } }) }', 'a | x={y:{z:["b"],w:true}}'],
  ['r "a" { x = c ? ["b"] : [] }', 'a | x=c ? ["b"] : []'],
  ['r "a" { x = [for b in c : "d"] }', "a | x=[,…] | 13: the list is an expression, so it can't be read here"],
  ['r "a" { x = lookup(c, "d", true) }', 'a | x=lookup(c, "d", true)'],
  ['r "a" { x = "b$${c}" }', 'a | x="b$${c}"'],
  [`r "a" { x = "\${y["z"]}-c" }`, 'a | x=${y["z"]}-c | 13: the value is an expression, so it can\'t be read here'],
  [`r "a" { x = ["b", "c\${d}"] }`, 'a | x=["b",…] | 19: the value is an expression, so it can\'t be read here'],
  ['r "a" { x = ["b", c.d, e] }', 'a | x=["b",…] | 18: the item is an expression, so it can\'t be read here'],
  ['r "a" { x = ["b"', 'a | x=["b",…] | 16: missing closing brace'],
  ['r "a', null],
  ["{}", null],
  ["", null],
])("%s", (text, expected) => {
  expect(read(text)).toBe(expected);
});
