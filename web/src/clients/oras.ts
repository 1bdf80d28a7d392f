/**
 * oras 1.3.
 *
 * It sends each request as it is, and asks for a token only when it is challenged: for its own
 * scopes and the challenge's, merged.
 */

import { mergesTheChallenge } from "./asking";
import { client, type Request } from "./operation";
import * as rows from "./rows";

export const reads = ["repository:{repository}:pull"];
export const writes = ["repository:{repository}:pull,push"];
const deletes = ["repository:{repository}:delete,pull"];
const copies = ["repository:{source}:pull", ...writes];

const refused = "Error response from registry: unauthorized: {message}: {detail}";
const withoutBody = 'Error response from registry: {method} "{url}": response status code 401: Unauthorized';

export const headByDigest = rows.request(
  "HEAD",
  "/v2/{repository}/manifests/{digest}",
  "Check that the manifest exists",
);
export const endUpload = rows.request("PUT", "/v2/{repository}/blobs/uploads/{upload}?digest={layer}", "Upload layer");
const headManifest: Request = { ...rows.headManifest, says: withoutBody };

export const oras = client("oras", { asking: mergesTheChallenge, says: refused }, [
  {
    id: "login",
    name: "oras login",
    about: "Checks the credentials and saves them.",
    prints: "Login Succeeded",
    sessions: [{ asks: [], requests: [rows.loggedIn] }],
  },
  {
    id: "pull",
    name: "oras pull",
    about: "Reads the manifest, then the layers.",
    prints: "Pulled [registry] {registry}/{repository}:{tag}",
    sessions: [{ asks: reads, requests: [rows.getManifest, rows.getLayer] }],
  },
  {
    id: "push",
    name: "oras push",
    about: "Uploads what is missing, then the manifest.",
    prints: "Pushed [registry] {registry}/{repository}:{tag}",
    sessions: [
      {
        asks: writes,
        requests: [
          { ...headByDigest, says: withoutBody },
          rows.headLayer,
          rows.startUpload,
          endUpload,
          rows.putManifest,
        ],
      },
    ],
  },
  {
    id: "copy",
    name: "oras copy",
    about: "Reads a manifest from one repository, mounts its layers into another, then uploads the manifest there.",
    prints: "Copied [registry] {registry}/{source}:{tag} => [registry] {registry}/{repository}:{tag}",
    sessions: [
      {
        asks: copies,
        shares: "registry",
        requests: [
          {
            ...rows.request("GET", "/v2/{source}/manifests/{tag}", "Get the source manifest"),
            says: 'Error from source registry for "{registry}/{source}:{tag}": unauthorized: {message}: {detail}',
          },
        ],
      },
      {
        asks: writes,
        shares: "registry",
        requests: [
          {
            ...headByDigest,
            says: 'Error from destination registry for "{registry}/{repository}:{tag}": {method} "{url}": response status code 401: Unauthorized',
          },
          rows.headLayer,
          { ...rows.mount, asks: copies },
          rows.putManifest,
          rows.getByDigest,
        ],
      },
    ],
  },
  {
    id: "discover",
    name: "oras discover",
    about: "Finds the digest of the tag, then lists what refers to it.",
    prints: "{registry}/{repository}@{digest}",
    sessions: [
      {
        asks: reads,
        requests: [
          headManifest,
          rows.request("GET", "/v2/{repository}/referrers/{digest}", "List referrers of the manifest"),
        ],
      },
    ],
  },
  {
    id: "repo-tags",
    name: "oras repo tags",
    about: "Lists the tags of a repository.",
    prints: "{tag}",
    sessions: [{ asks: reads, requests: [rows.listTags] }],
  },
  {
    id: "repo-ls",
    name: "oras repo ls",
    about: "Lists the repositories of the registry.",
    prints: "app\n…",
    sessions: [{ asks: ["registry:catalog:*"], requests: [rows.request("GET", "/v2/_catalog", "List repositories")] }],
  },
  {
    id: "manifest-delete",
    name: "oras manifest delete",
    about: "Finds the digest of the tag, reads the manifest, then deletes it.",
    prints: "Deleted [registry] {registry}/{repository}:{tag}",
    sessions: [
      {
        asks: deletes,
        requests: [
          { ...headManifest, asks: reads },
          rows.getByDigest,
          rows.request("DELETE", "/v2/{repository}/manifests/{digest}", "Delete the manifest"),
        ],
      },
    ],
  },
]);
