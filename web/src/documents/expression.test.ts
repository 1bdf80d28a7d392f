/** Expressions of ARM templates, and what they come to. */

import { expect, test } from "vitest";
import { readExpression } from "./arm-expression";
import { evaluate, type Scope } from "./expression";
import { HOLE, UNKNOWN } from "./unknown";

const parameters = new Map<unknown, unknown>([
  ["name", "contoso"],
  ["list", ["a", "b"]],
  ["object", { Inner: { list: [1, 2] } }],
]);
const scope: Scope = {
  name: () => UNKNOWN,
  call: (name, [first]) => (name === "parameters" && parameters.has(first) ? parameters.get(first) : undefined),
};

test.each<[string, unknown]>([
  ["['it''s']", "it's"],
  ["[concat('a', 'b', 1, true())]", "ab1true"],
  ["[Concat(parameters('list'), createArray('c'))]", ["a", "b", "c"]],
  ["[concat(parameters('other'), '/map')]", `${HOLE}/map`],
  ["[concat(parameters('list'), parameters('other'))]", ["a", "b", UNKNOWN]],
  ["[union(parameters('list'), createArray('b', 'c'))]", ["a", "b", "c"]],
  ["[format('{0}/{1}{{}}', parameters('name'), parameters('list')[1])]", "contoso/b{}"],
  ["[format('{0:N2}', 1)]", HOLE],
  ["[parameters('object').inner.list[1]]", 2],
  ["[parameters('object').none]", UNKNOWN],
  ["[parameters('list')[length(parameters('list'))]]", UNKNOWN],
  ["[if(equals(parameters('name'), 'CONTOSO'), 'yes', 'no')]", "yes"],
  ["[if(parameters('other'), 'yes', 'no')]", UNKNOWN],
  ["[and(false(), parameters('other'))]", false],
  ["[or(false(), parameters('other'))]", UNKNOWN],
  [
    "[resourceId('A.B/c/d', parameters('name'), 'x')]",
    `/subscriptions/${HOLE}/resourceGroups/${HOLE}/providers/A.B/c/contoso/d/x`,
  ],
  ["[resourceId('A.B/c/d', 'x')]", UNKNOWN],
  ["[uniqueString(resourceGroup().id)]", UNKNOWN],
  ["[ concat( 'a' , 'b' ) ]", "ab"],
  ["[concat('a', 'b']", UNKNOWN],
  ["[concat('a' 'b')]", UNKNOWN],
  ["[a]", UNKNOWN],
  ["[]", UNKNOWN],
  [`[${"concat(".repeat(2000)}'a'${")".repeat(2000)}]`, UNKNOWN],
])("%s", (text, value) => {
  expect(evaluate(readExpression(text), scope)).toEqual(value);
});

test("what doubles without end is unknown", () => {
  let text = "'aaaaaaaa'";
  for (let round = 0; round < 8; round++) text = `concat(${text}, ${text}, ${text})`;
  expect(evaluate(readExpression(`[${text}]`), scope)).toBe(UNKNOWN);
});
