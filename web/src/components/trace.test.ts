import { expect, test } from "vitest";
import { operation, simulate } from "../clients";
import { Principal, type Profile } from "../engine";
import { passedBefore, summaryOf } from "./trace";

const target = { registry: "reg.example", repository: "team/app", tag: "v1", source: "team/base" };

/** An operation, the rules, how many requests pass before the refused one, and the sentence. */
const rows: [string, string[], Profile, number, string][] = [
  ["docker-pull", ["team/app/content/read"], "acr", 0, "All 5 requests are OK."],
  [
    "docker-push",
    ["team/app/content/read"],
    "acr",
    1,
    "Refused: `POST /v2/team/app/blobs/uploads/` (start upload) needs `repository:team/app:pull,push`, and the token lacks `content/write` on `team/app`.",
  ],
  [
    "docker-push",
    [],
    "acr",
    1,
    "Refused: `POST /v2/team/app/blobs/uploads/` (start upload) needs `repository:team/app:pull,push`, and the token lacks `content/read` and `content/write` on `team/app`.",
  ],
  [
    "docker-push-mount",
    ["team/app/content/read", "team/app/content/write"],
    "acr",
    2,
    "Refused: `POST /v2/team/app/blobs/uploads/?from=team%2Fbase&mount=sha256%3A1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a` (mount the layer from the other repository) needs `repository:team/app:pull,push` and `repository:team/base:pull`, and the token lacks `content/read` on `team/base`. The client continues without it.",
  ],
  [
    "crane-catalog",
    ["team/app/content/read"],
    "acr",
    1,
    "Refused: `GET /v2/_catalog?n=1000` (list repositories) needs `registry:catalog:*`, and the token lacks `registry:catalog:*`.",
  ],
  // A registry without the path answers so whatever the token holds.
  [
    "az-repository-show",
    ["team/app/metadata/read"],
    "distribution",
    2,
    "Fails: `GET /acr/v1/team/app` (read the attributes). This registry doesn't support this path (404).",
  ],
  // The challenge that the refused request answers is shown with it.
  [
    "flux-scan",
    ["team/app/content/read"],
    "acr",
    1,
    "Refused: `GET /v2/team/app/tags/list?n=1000` (list tags) needs `repository:team/app:metadata_read`, and the token lacks `metadata/read` on `team/app`.",
  ],
];

test.each(rows)("%s with %j of %s", (id, rules, profile, passed, summary) => {
  const found = operation(id);
  if (found === undefined) throw new Error(`no operation ${id}`);
  const principal = new Principal("root");
  principal.add(
    "map",
    rules.map((rule) => `repositories/${rule}`),
  );
  const simulation = simulate(found, target, principal, profile);
  expect(summaryOf(simulation)).toBe(summary);
  expect(passedBefore(simulation.steps)).toBe(passed);
});
