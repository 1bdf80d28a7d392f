/**
 * The real clients do what is simulated: the same requests, the same scopes, the same end, and the
 * same words where they are refused.
 *
 * The project's set-up installs skopeo, podman and `az`, and builds crane, oras and Helm where
 * there is a Go; docker's command line is compared where it is installed. The data plane before
 * `az` is ours, since no other system has one. The docker engine 20.10 and containerd 1.6 need a
 * daemon, and were compared once, by the same recorder.
 */

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { operation, simulate } from "../../src/clients/index.ts";
import { Principal, type Profile } from "../../src/engine/index.ts";
import { Recorder } from "./recorder.ts";
import { lines } from "./shape.ts";
import { isInstalled, Workplace } from "./workplace.ts";

const everything = rules("*", "content/read", "content/write", "content/delete", "metadata/read");
const read = rules("team/app", "content/read");
const list = [...read, ...rules("team/app", "metadata/read")];
const erase = [...read, ...rules("team/app", "content/delete")];
const see = rules("team/new", "content/read");
const write = [...see, ...rules("team/new", "content/write")];
const base = rules("team/base", "content/read");
const chart = rules("team/chart", "content/read");
const chartLister = [...chart, ...rules("team/chart", "metadata/read")];
const chartWriter = [...chart, ...rules("team/chart", "content/write")];
const skopeoCopy =
  "skopeo copy --src-tls-verify=false --dest-tls-verify=false docker://HOST/team/base:v1 docker://HOST/team/new:v1";
const chartIsThere = "helm package chart; helm push --plain-http chart-0.1.0.tgz oci://HOST/team";

/**
 * What is simulated, how it is called, and the rules under which both are done: those first that
 * change nothing in the registry.
 */
const rows: readonly (readonly [id: string, command: string, each: readonly string[][], before?: string])[] = [
  ["skopeo-login", "skopeo login --tls-verify=false -u a -p b HOST", [[]]],
  ["skopeo-inspect", "skopeo inspect --tls-verify=false docker://HOST/team/app:v1", [[], read, list]],
  ["skopeo-list-tags", "skopeo list-tags --tls-verify=false docker://HOST/team/app", [[], read, list]],
  ["skopeo-pull", "skopeo copy --src-tls-verify=false docker://HOST/team/app:v1 dir:OUT", [[], read]],
  ["skopeo-push", "skopeo copy --dest-tls-verify=false oci:IMAGE:v1 docker://HOST/team/new:v1", [[], see, write]],
  // What skopeo has read it remembers, and would mount: each of the two begins with an image that
  // it has never seen.
  ["skopeo-copy", skopeoCopy, [write, base, [...base, ...see]]],
  ["skopeo-copy", skopeoCopy, [[...base, ...write]]],
  ["skopeo-delete", "skopeo delete --tls-verify=false docker://HOST/team/app:v1", [[], read, erase]],
  ["podman-login", "podman login --tls-verify=false -u a -p b HOST", [[]]],
  ["podman-pull", "podman pull --tls-verify=false HOST/team/app:v1", [[], read]],
  [
    "podman-push",
    "podman push --tls-verify=false example.org/image:v1 HOST/team/new:v1",
    [[], see, write],
    "podman load -i ARCHIVE",
  ],
  [
    "podman-push-mount",
    "podman push --tls-verify=false HOST/team/base:v1 HOST/team/new:v1",
    [[], see, [...base, ...see], [...base, ...write]],
    "podman pull --tls-verify=false HOST/team/base:v1",
  ],
  [
    "podman-push-mount",
    "podman push --tls-verify=false HOST/team/base:v1 HOST/team/new:v1",
    [write],
    "podman pull --tls-verify=false HOST/team/base:v1",
  ],
  ["podman-search-list-tags", "podman search --tls-verify=false --list-tags HOST/team/app", [[], read, list]],
  ["docker-login", "docker login -u a -p b HOST", [[]]],
  ["docker-manifest-inspect", "docker manifest inspect --insecure HOST/team/app:v1", [[], read]],
  ["crane-pull", "crane pull HOST/team/app:v1 OUT/image.tar", [[], read]],
  ["crane-push", "crane push ARCHIVE HOST/team/new:v1", [[], see, write]],
  [
    "crane-copy",
    "crane copy HOST/team/base:v1 HOST/team/new:v1",
    [write, base, [...base, ...see], [...base, ...write]],
  ],
  ["crane-ls", "crane ls HOST/team/app", [[], read, list]],
  ["crane-digest", "crane digest HOST/team/app:v1", [[], read]],
  ["crane-catalog", "crane catalog HOST", [read, everything]],
  ["crane-delete", "crane delete HOST/team/app@DIGEST", [[], read, erase]],
  ["oras-login", "oras login --plain-http -u a -p b HOST", [[]]],
  [
    "oras-pull",
    "oras pull --plain-http -o OUT HOST/team/app:v1",
    [[], read],
    "oras push --plain-http HOST/team/app:v1 hello.txt",
  ],
  ["oras-push", "oras push --plain-http HOST/team/new:v1 hello.txt", [[], see, write]],
  [
    "oras-copy",
    "oras copy --from-plain-http --to-plain-http HOST/team/base:v1 HOST/team/new:v1",
    [write, base, [...base, ...write]],
  ],
  ["oras-repo-tags", "oras repo tags --plain-http HOST/team/app", [[], read, list]],
  ["oras-repo-ls", "oras repo ls --plain-http HOST", [read, everything]],
  ["oras-manifest-delete", "oras manifest delete --plain-http -f HOST/team/app:v1", [[], read, erase]],
  [
    "helm-push",
    "helm push --plain-http chart-0.1.0.tgz oci://HOST/team",
    [[], chart, chartWriter],
    "helm package chart",
  ],
  ["helm-pull", "helm pull --plain-http oci://HOST/team/chart --version 0.1.0", [[], chart], chartIsThere],
  ["helm-show", "helm show chart --plain-http oci://HOST/team/chart", [[], chart, chartLister], chartIsThere],
  ["helm-dependency-update", "helm dependency update --plain-http parent", [[], chart, chartLister], chartIsThere],
];

const azEndpoints = ["resource-manager", "active-directory", "active-directory-resource-id", "management"];
/** A cloud of which only the registry is there. */
const azKnowsTheDoor = [
  `az cloud register -n Door --skip-endpoint-discovery ${azEndpoints.map((name) => `--endpoint-${name} https://HOST`).join(" ")} --suffix-acr-login-server-endpoint SUFFIX`,
  "az cloud set -n Door",
].join("; ");
const azAs = "-n NAME --username a --password b";
const see1 = rules("team/app", "metadata/read");
const eraseAll = [...see1, ...rules("team/app", "content/delete")];

/** The same for `az`, whose data plane Azure Container Registry has alone. */
const azRows: typeof rows = [
  ["az-repository-list", `az acr repository list ${azAs}`, [see1, everything]],
  ["az-repository-show", `az acr repository show ${azAs} --repository team/app`, [[], see1]],
  ["az-repository-show-tags", `az acr repository show-tags ${azAs} --repository team/app`, [read, see1]],
  ["az-repository-delete", `az acr repository delete ${azAs} --repository team/app -y`, [see1, eraseAll]],
  ["az-repository-delete-image", `az acr repository delete ${azAs} --image team/app:v1 -y`, [see1, eraseAll]],
  ["az-repository-untag", `az acr repository untag ${azAs} --image team/app:v1`, [see1, eraseAll]],
  [
    "az-repository-update",
    `az acr repository update ${azAs} --repository team/app --write-enabled false`,
    [see1, [...see1, ...rules("team/app", "metadata/write")]],
  ],
  [
    "az-manifest-list-metadata",
    "az acr manifest list-metadata -r NAME --username a --password b -n team/app",
    [[], see1],
  ],
];

/** What a client needs that our set-up does not install. */
const needed = new Map([
  ["docker", "docker"],
  ["crane", "go"],
  ["helm", "go"],
  ["oras", "go"],
]);

/** Whether the client has to be there. */
function isExpected(command: string): boolean {
  const own = needed.get(command.split(" ")[0] ?? "");
  return own === undefined || isInstalled(own);
}

/** Where registries differ, both are compared. */
const listsTags = /tags|inspect|-ls|show|dependency/;

describe.for([...rows, ...azRows])("%s: %s", ([id, command, each, before]) => {
  const isAz = id.startsWith("az-");
  let recorder: Recorder;
  let workplace: Workplace;

  beforeEach(async () => {
    recorder = new Recorder({ hasTls: isAz });
    await recorder.start();
    recorder.allow(principal(everything), "acr");
    workplace = new Workplace(recorder.folder, recorder.host, recorder.certificate);
    if (isAz) for (const step of azKnowsTheDoor.split("; ")) await workplace.must(step);
    const image = await workplace.makeImage();
    for (const repository of ["team/app", "team/base"]) await recorder.store(image, repository);
    for (const command of before?.split("; ") ?? []) await workplace.must(command);
  }, 60_000);

  afterEach(() => recorder.stop());

  test.skipIf(!isExpected(command))("as recorded", { timeout: 120_000 }, async () => {
    const profiles: readonly Profile[] = !isAz && listsTags.test(id) ? ["distribution", "acr"] : ["acr"];
    for (const rules of each) for (const profile of profiles) await compare(id, command, rules, profile);
  });

  async function compare(id: string, command: string, rules: string[], profile: Profile): Promise<void> {
    const who = principal(rules);
    recorder.allow(who, profile);
    const { succeeded, said } = await workplace.run(command);
    const simulation = simulate(known(id), target(id, command, recorder.host), who, profile);
    const about = `${profile} ${rules.join(" ")}\n${said}`;
    expect(lines(simulation.steps), about).toEqual(recorder.lines);
    expect(simulation.outcome !== "fails", about).toBe(succeeded);
    if (!succeeded) expect(comparable(said)).toContain(comparable(simulation.terminal));
  }
});

function rules(pattern: string, ...permissions: string[]): string[] {
  return permissions.map((permission) => `repositories/${pattern}/${permission}`);
}

function principal(rules: string[]): Principal {
  const principal = new Principal("root");
  principal.add("map", rules);
  return principal;
}

function known(id: string) {
  const found = operation(id);
  if (found === undefined) throw new Error(`no operation ${id}`);
  return found;
}

function target(id: string, command: string, registry: string) {
  if (id.startsWith("helm-")) return { registry, repository: "team/chart", tag: "0.1.0" };
  const repository = command.includes("team/new") ? "team/new" : "team/app";
  return { registry, repository, tag: "v1", source: "team/base" };
}

/** Without what differs each time: digests, the scheme, the colours and times of a log. */
function comparable(text: string): string {
  return text
    .replace(/^FATA\[0000\] /, "")
    .replaceAll("http://", "https://")
    .replaceAll(/sha256:[0-9a-f]{64}/g, "{digest}");
}
