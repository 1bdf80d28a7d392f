import { describe, expect, test } from "vitest";

import { Principal, type Profile } from "../engine";
import { operation, operations, simulate } from "./index";

const target = { registry: "reg.example", repository: "team/app", tag: "v1", source: "team/base" };
const any = ["content/read", "content/write", "content/delete", "metadata/read", "metadata/write"];

function run(id: string, permissions: readonly string[], profile: Profile = "acr", pattern = "team/app") {
  const found = operation(id);
  if (found === undefined) throw new Error(`no operation ${id}`);
  const principal = new Principal("root");
  const rules = permissions.map((each) => (each.includes(":") ? each.replace(":", "/") : `${pattern}/${each}`));
  principal.add(
    "map",
    rules.map((rule) => `repositories/${rule}`),
  );
  return simulate(found, target, principal, profile);
}

/**
 * An operation, the permissions on `team/app` (or on what is before a colon), the outcome, and
 * the request that ends it.
 */
type Row = [id: string, permissions: string, profile: Profile, outcome: string, ends?: string];

const rows: Row[] = [
  // What lists tags needs `metadata/read` on Azure Container Registry, and nothing more than
  // `content/read` elsewhere.
  ["helm-dependency-update", "content/read", "acr", "fails", "GET /v2/team/app/tags/list"],
  ["helm-dependency-update", "content/read", "distribution", "works"],
  ["helm-dependency-update", "content/read metadata/read", "acr", "works"],
  ["helm-pull", "content/read", "acr", "works"],
  ["renovate-scan", "content/read", "acr", "fails", "GET /v2/team/app/tags/list?n=10000"],
  ["renovate-scan", "metadata/read", "acr", "works-partly"],
  ["renovate-scan", "content/read metadata/read", "acr", "works"],
  ["flux-scan", "content/read", "acr", "fails", "GET /v2/team/app/tags/list?n=1000"],
  ["flux-scan", "content/read metadata/read", "acr", "works"],
  ["argocd-image-updater-scan", "content/read", "acr", "fails", "GET /v2/team/app/tags/list"],
  ["argocd-image-updater-scan", "content/read metadata/read", "acr", "works"],
  ["argocd-image-updater-scan", "content/read", "distribution", "works"],
  ["crane-ls", "content/read", "acr", "fails", "GET /v2/team/app/tags/list?n=1000"],
  ["skopeo-list-tags", "metadata/read", "acr", "works"],
  ["oras-repo-tags", "content/read metadata/read", "acr", "works"],
  // A push has to read.
  ["docker-push", "content/write", "acr", "fails", "POST /v2/team/app/blobs/uploads/"],
  ["docker-push", "content/read content/write", "acr", "works"],
  ["docker-push-mount", "content/read content/write", "acr", "works-partly"],
  ["docker-push-mount", "content/read content/write team/base:content/read", "acr", "works"],
  ["docker-pull", "", "acr", "fails", "GET /v2/team/app/manifests/v1"],
  ["docker-login", "", "acr", "works"],
  ["kubelet-pull", "content/read", "acr", "works"],
  ["kubelet-pull", "metadata/read", "acr", "fails", "HEAD /v2/team/app/manifests/v1"],
  // The catalog needs a rule for the whole registry.
  ["crane-catalog", any.join(" "), "acr", "fails", "GET /v2/_catalog?n=1000"],
  ["crane-catalog", "*:metadata/read", "acr", "works"],
  ["az-repository-list", "*:metadata/read", "distribution", "works"],
  // The registry wants `delete` for untagging, and `metadata/read` for deleting by tag.
  ["az-repository-untag", "metadata/write", "acr", "fails"],
  ["az-repository-untag", "content/delete", "acr", "works"],
  ["az-repository-delete", "content/delete", "acr", "works"],
  ["az-repository-delete-image", "content/delete", "acr", "fails", "GET /acr/v1/team/app/_tags/v1"],
  ["az-repository-delete-image", "content/delete metadata/read", "acr", "works"],
  ["az-repository-update", "metadata/write", "acr", "works"],
  ["az-repository-show-tags", "content/read", "acr", "fails", "GET /acr/v1/team/app/_tags?n=100"],
  ["az-repository-show-tags", "metadata/read", "distribution", "fails", "GET /acr/v1/team/app/_tags?n=100"],
  ["az-manifest-list", "metadata/read", "acr", "fails"],
  ["azure-sdk-list-tags", "metadata/read", "acr", "works"],
];

test.each(rows)("%s with %s on %s: %s %s", (id, permissions, profile, outcome, ends) => {
  const simulation = run(id, permissions.split(" ").filter(Boolean), profile);
  expect(simulation.outcome).toBe(outcome);
  const step = simulation.steps[simulation.failsAt ?? -1];
  expect(step === undefined).toBe(outcome !== "fails");
  if (ends !== undefined) expect(`${step?.method} ${step?.target}`).toBe(ends);
});

/** What is asked for, in the order of the wire. */
test.each([
  ["docker-push", "", ["repository:team/app:push,pull"]],
  ["docker-login", "", [""]],
  ["skopeo-delete", "content/read", ["repository:team/app:*", "repository:team/app:* repository:team/app:delete"]],
  ["skopeo-list-tags", "", ["repository:team/app:pull", "repository:team/app:pull repository:team/app:metadata_read"]],
  ["crane-ls", "", ["repository:team/app:pull", "repository:team/app:metadata_read repository:team/app:pull"]],
  ["crane-delete", any.join(" "), ["repository:team/app:push,pull,delete"]],
  ["oras-repo-tags", "", ["repository:team/app:metadata_read,pull"]],
  ["containerd-push", "", ["repository:team/app:pull repository:team/app:pull,push"]],
  ["renovate-scan", "metadata/read", ["repository:team/app:metadata_read", "repository:team/app:pull"]],
  ["argocd-image-updater-scan", any.join(" "), ["repository:team/app:pull,metadata_read,content_read"]],
  ["az-repository-untag", "", ["repository:team/app:delete"]],
  ["az-repository-update", any.join(" "), ["repository:team/app:metadata_write,metadata_read"]],
  ["az-repository-list", "", ["registry:catalog:*"]],
  ["azure-sdk-list-tags", any.join(" "), ["repository:team/app:metadata_read"]],
])("%s with %s asks for %j", (id, permissions, expected) => {
  const { steps } = run(id, permissions.split(" ").filter(Boolean));
  expect(steps.flatMap((step) => (step.asked === null ? [] : [step.asked.join(" ")]))).toEqual(expected);
});

test("what a person reads", () => {
  const read = (id: string) => run(id, []).terminal;
  const message = "authentication required, visit https://aka.ms/acr/authorization for more information.";
  expect(read("docker-pull")).toBe(
    "Error response from daemon: pull access denied for reg.example/team/app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
  );
  expect(read("crane-ls")).toBe(
    `Error: reading tags for reg.example/team/app: GET https://reg.example/v2/team/app/tags/list?n=1000: UNAUTHORIZED: ${message}; [map[Action:metadata_read Name:team/app Type:repository]]`,
  );
  expect(read("az-repository-show-tags")).toBe(`ERROR: Error: ${message}`);
  expect(run("az-repository-show-tags", any, "distribution").terminal).toBe(
    "ERROR: The requested data does not exist.",
  );
  expect(run("docker-login", []).terminal).toBe("Login Succeeded");
});

test("a challenge is the registry's, and what follows a refusal is not reached", () => {
  const { steps, failsAt } = run("skopeo-list-tags", ["content/read"]);
  expect(steps.map((step) => step.outcome)).toEqual(["challenged", "challenged", "fails"]);
  expect(steps[0]?.challenge).toBe('Bearer realm="https://reg.example/oauth2/token",service="reg.example"');
  expect(steps[2]?.challenge).toBe(
    'Bearer realm="https://reg.example/oauth2/token",service="reg.example",scope="repository:team/app:metadata_read",error="insufficient_scope"',
  );
  expect(steps[2]?.missing).toEqual(["repository:team/app:metadata_read"]);
  expect(steps[1]?.granted).toEqual([{ type: "repository", name: "team/app", actions: ["pull"] }]);
  expect(failsAt).toBe(2);
  expect(
    run("docker-push", [])
      .steps.slice(2)
      .map((step) => step.outcome),
  ).toEqual(Array(4).fill("not-reached"));
});

describe.each(operations.map((each) => [each.id, each] as const))("%s", (id, each) => {
  test.each(["acr", "distribution"] as const)(
    "works on %s with all that it needs, and with nothing less",
    (profile) => {
      const { needs } = run(id, [], profile);
      const catalog = needs.some((scope) => scope.startsWith("registry:"));
      const outcome = each.profiles.includes(profile) ? "works" : "fails";
      expect(run(id, any, profile, "*").outcome).toBe(outcome);
      if (needs.length > 0 && outcome === "works") expect(run(id, [], profile).outcome).toBe("fails");
      expect(catalog).toBe(/catalog|-list$|repo-ls|podman-search$/.test(id) && !id.startsWith("az-manifest"));
    },
  );

  test("leaves no placeholder", () => {
    const texts = [[], ["content/read"], ["metadata/read"]].flatMap((permissions) => {
      const { terminal, steps } = run(id, permissions);
      return [terminal, ...steps.flatMap((step) => [step.target, ...(step.asked ?? [])])];
    });
    expect(texts.filter((text) => /\{[a-z]+\}/.test(text))).toEqual([]);
  });
});

test("ids are the clients' and their own", () => {
  expect(new Set(operations.map((each) => each.id)).size).toBe(operations.length);
  expect(operations.filter((each) => !each.id.startsWith(`${each.client}-`))).toEqual([]);
  expect(operation("docker-push-mount")?.needs).toEqual(["repository", "source", "tag"]);
  expect(operation("crane-catalog")?.needs).toEqual([]);
});
