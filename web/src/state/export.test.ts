/** The file of assertions: what is written is read back by the engine, whatever is in it. */

import { expect, test } from "vitest";
import { parse } from "yaml";
import { readAssertions } from "../engine";
import { assertionFile, toYaml } from "./export";
import { blank, type Model } from "./model";

const hostile = 'a: "b" #c\n- \u2028 \\ ä 😀 ${x}';

const cases: [string, Partial<Model>][] = [
  ["nothing", {}],
  ["one map, one assertion", { assertions: [{ allow: "repository:a:pull" }] }],
  [
    "two maps and reasons",
    {
      maps: [
        { name: "one", registry: "", description: "", actions: ["repositories/a/content/read", hostile] },
        { name: "", registry: "r", description: "d", actions: [] },
      ],
      catalog: "never",
      assertions: [{ allow: "repository:a:pull", why: hostile }, { deny: hostile }],
    },
  ],
];

for (const [name, parts] of cases) {
  test(name, () => {
    const file = assertionFile({ ...blank(), ...parts });
    expect(readAssertions(parse(toYaml(file)))).toEqual(file);
  });
}
