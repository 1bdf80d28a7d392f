/**
 * crane 0.22.
 *
 * It asks for its scopes after the first `/v2/`; what a challenge adds comes first from then on,
 * because some registries read one only.
 */

import { challengeFirst } from "./asking";
import { client, type Request } from "./operation";
import * as rows from "./rows";

const refused = "Error: {method} {url}: UNAUTHORIZED: {message}; {detail}";
const withoutBody =
  "Error: {method} {url}: unexpected status code 401 Unauthorized (HEAD responses have no body, use GET for details)";

const reads = ["repository:{repository}:pull"];
const writes = ["repository:{repository}:push,pull"];

const headManifest: Request = { ...rows.headManifest, says: withoutBody };
const headLayer: Request = { ...rows.headLayer, says: withoutBody };

export const crane = client("crane", { asking: challengeFirst, says: refused }, [
  {
    id: "pull",
    name: "crane pull",
    about: "Reads the manifest, then the layers.",
    prints: "",
    sessions: [{ asks: reads, requests: [rows.ping, rows.getManifest, ...rows.getBlobs] }],
  },
  {
    id: "push",
    name: "crane push",
    about: "Checks that the manifest exists, uploads what is missing, then uploads the manifest.",
    prints: "{registry}/{repository}@{digest}",
    sessions: [{ asks: writes, requests: [rows.ping, headManifest, headLayer, ...rows.upload, rows.putManifest] }],
  },
  {
    id: "copy",
    name: "crane copy",
    about: "Reads a manifest from one repository, mounts its layers into another, then uploads the manifest there.",
    prints: "{registry}/{repository}:{tag}: digest: {digest} size: 344",
    sessions: [
      {
        asks: ["repository:{source}:pull"],
        requests: [
          rows.ping,
          {
            ...rows.request("GET", "/v2/{source}/manifests/{tag}", "Get the source manifest"),
            says: `Error: fetching "{registry}/{source}:{tag}": {method} {url}: UNAUTHORIZED: {message}; {detail}`,
          },
        ],
      },
      { asks: writes, requests: [rows.ping, headManifest, headLayer] },
      {
        asks: [...writes, "repository:{source}:pull"],
        requests: [
          rows.ping,
          { ...rows.mount, goesOn: "Uploads the layer instead." },
          ...rows.uploadInstead,
          rows.putManifest,
        ],
      },
    ],
  },
  {
    id: "ls",
    name: "crane ls",
    about: "Lists the tags of a repository.",
    prints: "{tag}",
    says: "Error: reading tags for {registry}/{repository}: {method} {url}: UNAUTHORIZED: {message}; {detail}",
    sessions: [
      {
        asks: reads,
        requests: [rows.ping, rows.request("GET", "/v2/{repository}/tags/list?n=1000", "List tags")],
      },
    ],
  },
  {
    id: "digest",
    name: "crane digest",
    about: "Finds the digest of the tag.",
    prints: "{digest}",
    sessions: [
      { asks: reads, requests: [rows.ping, { ...rows.headManifest, goesOn: "Reads the manifest with GET." }] },
      {
        asks: reads,
        requests: [
          { ...rows.ping, when: "refused" },
          { ...rows.getManifest, when: "refused" },
        ],
      },
    ],
  },
  {
    id: "delete",
    name: "crane delete",
    about: "Deletes a manifest. It requests more than it needs.",
    prints: "",
    sessions: [
      {
        asks: ["repository:{repository}:push,pull,delete"],
        requests: [rows.ping, rows.request("DELETE", "/v2/{repository}/manifests/{digest}", "Delete the manifest")],
      },
    ],
  },
  {
    id: "catalog",
    name: "crane catalog",
    about: "Lists the repositories of the registry.",
    prints: "app\n…",
    says: "Error: reading tags for {registry}: {method} {url}: UNAUTHORIZED: {message}; {detail}",
    sessions: [
      {
        asks: ["registry:catalog:*"],
        requests: [rows.ping, rows.request("GET", "/v2/_catalog?n=1000", "List repositories")],
      },
    ],
  },
]);
