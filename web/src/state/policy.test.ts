/** A policy stands alone, follows its maps, and says what the engine says. */

import { createRoot, createSignal } from "solid-js";
import { expect, test } from "vitest";
import { createPolicy, type PolicySource } from "./policy";

const READ = "repositories/team/*/content/read";

test("a policy follows its maps", () => {
  createRoot((dispose) => {
    const [source, setSource] = createSignal<PolicySource>({
      maps: [{ name: "ci", actions: [READ] }],
      catalog: "root",
    });
    const policy = createPolicy(source);
    const granted = () => policy().principal.granted(["team/app"])[0]?.actions;
    expect(granted()).toEqual(["pull"]);
    expect(
      policy()
        .reports(0)
        .map(({ pattern }) => pattern),
    ).toEqual(["team/*"]);
    expect(policy().reports(1)).toEqual([]);
    setSource({ maps: [{ name: "ci", actions: [READ, READ, "nonsense"] }], catalog: "root" });
    expect(
      policy()
        .findings(0)
        .map(({ kind }) => kind),
    ).toContain("redundant");
    expect(
      policy()
        .reports(0)
        .map(({ problem }) => problem === null),
    ).toEqual([true, true, false]);
    setSource({ maps: [], catalog: "root" });
    expect(granted()).toEqual([]);
    dispose();
  });
});
