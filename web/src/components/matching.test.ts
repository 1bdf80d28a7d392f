import { expect, test } from "vitest";
import { operations } from "../clients";
import { commandChoices } from "./command-choices";
import { best, matching } from "./matching";

const choices = commandChoices(operations);

/** What is typed, what is active then, and how many fit; none for nothing. */
const rows: [string, string | undefined, number?][] = [
  ["", "docker login", operations.length],
  ["docker push", "docker push"],
  ["DOCKER  push ", "docker push"],
  ["push docker", "docker push"],
  ["docker pu", "docker pull"],
  ["skopeo copy", "skopeo copy"],
  ["kubernetes", "Kubernetes node: pull image", 1],
  ["argo", "Argo CD Image Updater: list tags", 1],
  ["untag", "az acr repository untag", 1],
  ["locks or unlocks", "az acr repository update", 1],
  ["push zzz", undefined, 0],
  [".*", undefined, 0],
  ["<img", undefined, 0],
];

test.each(rows)("%j", (typed, name, count) => {
  const shown = matching(choices, typed);
  expect(best(shown, typed)?.name).toBe(name);
  if (count !== undefined) expect(shown).toHaveLength(count);
});
