/** Rules as people write them, what mends them, and a map that is taken out and pasted again. */

import { expect, test } from "vitest";
import { Principal } from "../engine";
import { type ExportForm, exported } from "../fixes/exports";
import { recognise } from "../recognise";
import { mend } from "./mend";
import { rulesFrom } from "./shorthand";

/** What is written, which boxes are checked, and the rules. */
const written: [string, string[], string[]][] = [
  ["repositories/team/app/content/read", ["push"], ["repositories/team/app/content/read"]],
  ["team/app pull", [], ["repositories/team/app/content/read"]],
  ["team/app:pull,push", [], ["repositories/team/app/content/read", "repositories/team/app/content/write"]],
  ["repository:team/app:metadata_read", [], ["repositories/team/app/metadata/read"]],
  ["team/* content/delete", [], ["repositories/team/*/content/delete"]],
  ["team/*", ["pull", "metadata_read"], ["repositories/team/*/content/read", "repositories/team/*/metadata/read"]],
  ["*", ["pull"], ["repositories/*/content/read"]],
  ["team/app", [], ["team/app"]],
  ["team/app fly", ["pull"], ["team/app fly"]],
  ["<b> pull", ["pull"], ["<b> pull"]],
  [" ", ["pull"], []],
];

test.each(written)("%j with %j", (text, chosen, rules) => {
  expect(rulesFrom(text, chosen)).toEqual(rules);
});

/** Rules, and what they are when every finding that can be was mended. */
const mended: [string[], string[]][] = [
  [["a/content/read"], ["a/content/read", "a/metadata/read"]],
  [["a/metadata/read", "a/metadata/read"], ["a/metadata/read"]],
  [["a/content/write"], ["a/content/write", "a/content/read", "a/metadata/read"]],
  [
    ["a/*/content/read", "a/*/metadata/read", "a/b/content/read"],
    ["a/*/content/read", "a/*/metadata/read"],
  ],
];

test.each(mended)("%j is mended", (rules, after) => {
  let actions = rules.map((rule) => `repositories/${rule}`);
  for (let step = 0; step < 9; step += 1) {
    const principal = new Principal();
    principal.add("m", actions);
    const [next] = principal.lint(0).flatMap((finding) => {
      const index = finding.rule ?? 0;
      const pattern = /^repositories\/(.*)\/[^/]+\/[^/]+$/.exec(actions[index] ?? "")?.[1] ?? "";
      return mend(finding, actions, new Set(actions), index, pattern) ?? [];
    });
    principal.free();
    if (!next) break;
    actions = next.actions();
  }
  expect(actions).toEqual(after.map((rule) => `repositories/${rule}`));
});

const ACTIONS = [
  "repositories/team/*/content/read",
  "repositories/team/*/content/write",
  "repositories/*/metadata/read",
];
const FORMS: ExportForm[] = ["create", "update", "arm", "bicep", "terraform", "json", "yaml"];

test.each(FORMS)("a map as %s is read again", (form) => {
  const map = {
    name: "MyScopeMap",
    registry: "myregistry",
    description: 'It\'s ${a} \\ "map"',
    actions: [...ACTIONS, "no rule"],
  };
  const found = recognise(exported(map, form)).map((part) => part.found);
  const [only] = found;
  expect(found).toHaveLength(1);
  const actions = only?.kind === "scopeMap" ? only.map.actions : only?.kind === "command" ? only.change?.actions : [];
  expect(actions).toEqual(ACTIONS);
  const name = only?.kind === "scopeMap" ? only.map.name : only?.kind === "command" ? only.change?.scopeMap : "";
  expect(name).toBe("MyScopeMap");
});

test("what a shell would read is quoted", () => {
  const map = {
    name: "a b'; rm -rf /",
    registry: "$(x)",
    description: "`y`",
    actions: ["repositories/*/content/read"],
  };
  expect(exported(map, "create")).toBe(
    "az acr scope-map create --name 'a b'\\''; rm -rf /' --registry '$(x)' --description '`y`' --repository '*' content/read",
  );
});
