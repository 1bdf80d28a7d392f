/** Files of Bicep: what is declared, and what it comes to. */

import { expect, test } from "vitest";
import { readBicep } from "./bicep";
import { evaluate, NO_SCOPE } from "./expression";
import { UNKNOWN } from "./unknown";

function statements(text: string): string[] {
  return (readBicep(text, 0)?.statements ?? []).map((statement) => {
    if (statement.kind === "other") return "other";
    if (statement.kind === "param") return `param ${statement.name}`;
    if (statement.kind === "var") return `var ${statement.name}`;
    const inner = statement.inner.map(({ name }) => ` with ${name}`).join("");
    return `${statement.isExisting ? "existing " : ""}${statement.kind} ${statement.name} ${statement.type}${inner}`;
  });
}

test.each<[string, string[]]>([
  ["param a string\nparam b array = []\n\nvar c = 1", ["param a", "param b", "var c"]],
  ["@description('a (b')\n@allowed([\n  'x'\n])\nparam a string = 'x' // why\n", ["param a"]],
  [
    "resource a 'b/c@1' existing = { name: 'd' }\nresource e 'f/g@2' = if (h) {\n  name: 'i'\n}",
    ["existing resource a b/c@1", "resource e f/g@2"],
  ],
  ["resource a 'b@1' = {\n  name: 'c'\n  resource d 'e' = {\n    name: 'f'\n  }\n}", ["resource a b@1 with d"]],
  [
    "module a 'br/public:b:1' = [for (c, i) in d: {\n  name: c.e\n}]\noutput f string = a[0].name",
    ["module a br/public:b:1", "other"],
  ],
  [
    "targetScope = 'subscription'\nimport * as a from 'b'\ntype c = {\n  d: string\n}\nfunc e(f string) string => f",
    ["other", "other", "other", "other"],
  ],
  ["param a string\nthis is none\nparam b string", ["param a"]],
  ["var a = x;", []],
  ["var a = {\n  b: 'c'", []],
  ["resource a 'b@1' = {\n  c 'd'\n}", []],
  [`var a = ${"(".repeat(5000)}1`, []],
])("%s", (text, expected) => {
  expect(statements(text)).toEqual(expected);
});

function worked(text: string): unknown {
  const [statement] = readBicep(`var a = ${text}`, 0)?.statements ?? [];
  return statement?.kind === "var" ? evaluate(statement.value, NO_SCOPE) : null;
}

test.each<[string, unknown]>([
  ["'it\\'s \\${a} \\u{41}'", "it's ${a} A"],
  ["'''\nraw ${a} 'b'\n'''", "raw ${a} 'b'\n"],
  ["'a${1}b${true ? 'c' : 'd'}'", "a1bc"],
  ["'a${'b${'c'}'}'", "abc"],
  ["'a${b}'", "a\uffff"],
  ["[\n  'a' // one\n  /* 'b' */\n  'c', 'd'\n]", ["a", "c", "d"]],
  ["[ 'a', ...['b'], ...c ]", ["a", "b", UNKNOWN]],
  ["{\n  a: 'b'\n  'c-d': [1]\n}['c-d'][0]", 1],
  ["union(['a'], ['a', 'b'])", ["a", "b"]],
  ["[for a in ['x', 'y']: 'b/${a}']", ["b/x", "b/y"]],
  ["[for (a, i) in ['x', 'y']: '${i}${a}']", ["0x", "1y"]],
  ["[for a in b: 'c']", [UNKNOWN]],
  ["[for a in ['x']: if (b) 'c']", [UNKNOWN]],
  ["1 == 1\n  ? 'yes'\n  : 'no'", "yes"],
  ["a ? 'yes' : 'no'", UNKNOWN],
  ["!empty(['a']) && 'A' =~ 'a'", true],
  ["1 + 2", UNKNOWN],
  ["map(['a'], x => toUpper(x))", UNKNOWN],
])("var a = %s", (text, value) => {
  expect(worked(text)).toEqual(value);
});
