/** Values, positions and refusals of JSON and YAML. */

import { describe, expect, test } from "vitest";
import { MAX_LENGTH, readDocument } from "./document";
import { type Path, steps } from "./source-node";

/** The value, and the text of the node that a path leads to. */
function read(text: string, path: Path = []) {
  const document = readDocument(text);
  if (document.kind === "problem") return `${document.position}: ${document.message}`;
  const { from, to } = document.node(path);
  return [document.value, text.slice(from, to), text.charAt(document.at(path))];
}

describe("values and places", () => {
  test.each<[string, Path, unknown]>([
    ['{"a":1}', ["a"], [{ a: 1 }, "1", "1"]],
    ['{"a":[true,{"b":"x"}]}', ["a", 1, "b"], [{ a: [true, { b: "x" }] }, '"x"', "x"]],
    ['{"a":[true,{"b":"x"}]}', ["a", 1], [{ a: [true, { b: "x" }] }, '{"b":"x"}', "{"]],
    ['{"a":1}', ["b"], [{ a: 1 }, '{"a":1}', "{"]],
    ['["a\\"]", "b"]', [1], [['a"]', "b"], '"b"', "b"]],
    ['{"__proto__":1,"":[]}', [""], [JSON.parse('{"__proto__":1,"":[]}'), "[]", "["]],
    ["12", [], [12, "12", "1"]],
    ["a:\n  - 'x'\n  - y # why", ["a", 0], [{ a: ["x", "y"] }, "'x'", "x"]],
    ["a:\n  - 'x'\n  - y # why", ["a", 1], [{ a: ["x", "y"] }, "y", "y"]],
    ["{a: [b, 'c',],}", ["a", 1], [{ a: ["b", "c"] }, "'c'", "c"]],
    ["a: &x [1]\nb: *x", ["b", 0], [{ a: [1], b: [1] }, "*x", "*"]],
    ["", [], [null, "", ""]],
  ])("%s", (text, path, expected) => {
    expect(read(text, path)).toEqual(expected);
  });

  test("in a longer text", () => {
    const document = readDocument('{"a":1}', 10);
    expect(document.kind === "value" && document.at(["a"])).toBe(15);
  });

  test("of paths as the engine writes them", () => {
    expect(steps("properties.actions[3]")).toEqual(["properties", "actions", 3]);
    expect(steps("")).toEqual([]);
  });
});

describe("refusals", () => {
  test.each([
    ['{"a":1,"a":2}', "11: duplicate field `a`"],
    ['{"a":1,"\\u0061":2}', "16: duplicate field `a`"],
    ["a: 1\na: 2", "5: duplicate field `a`"],
    ['{"a": [1, 2}', "11: flow sequence in block collection must be sufficiently indented and end with a ]"],
    ["a: 1\n---\nb: 2", "5: more than one document"],
    ["a: *b", "0: too many aliases, or an undefined one"],
    [`${"[".repeat(101)}${"]".repeat(101)}`, "100: nested more than 100 levels deep"],
    [`${"[".repeat(100_000)}${"]".repeat(100_000)}`, "100: nested more than 100 levels deep"],
    [`${"- ".repeat(101)}a`, "203: nested more than 100 levels deep"],
    [" ".repeat(MAX_LENGTH + 1), "4194304: too large (over 4 MiB)"],
  ])("%#", (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  test("of aliases that multiply", () => {
    const lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"];
    for (let depth = 1; depth < 9; depth++) lines.push(`a${depth}: &a${depth} [${`*a${depth - 1},`.repeat(9)}]`);
    expect(read(lines.join("\n"))).toBe("0: too many aliases, or an undefined one");
  });

  test.each(["[", "- ", "{a: ", "? ", ": , ", "&a ", "!!x ", "- - ? ", '["', '? "]"'])("of %j, many times", (piece) => {
    expect(readDocument(piece.repeat(20_000)).kind).toBe("problem");
  });
});
