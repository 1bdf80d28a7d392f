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
  "looks whether the manifest is there",
);
export const endUpload = rows.request(
  "PUT",
  "/v2/{repository}/blobs/uploads/{upload}?digest={layer}",
  "sends the layer",
);
const headManifest: Request = { ...rows.headManifest, says: withoutBody };

export const oras = client("oras", { asking: mergesTheChallenge, says: refused }, [
  {
    id: "login",
    name: "oras login",
    about: "tries a name and a password, and keeps them",
    prints: "Login Succeeded",
    sessions: [{ asks: [], requests: [rows.loggedIn] }],
  },
  {
    id: "pull",
    name: "oras pull",
    about: "reads the manifest, then the layers",
    prints: "Pulled [registry] {registry}/{repository}:{tag}",
    sessions: [{ asks: reads, requests: [rows.getManifest, rows.getLayer] }],
  },
  {
    id: "push",
    name: "oras push",
    about: "uploads what is not there, and writes the manifest",
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
    about: "reads the manifest of one repository, mounts its layers into the other, and writes the manifest there",
    prints: "Copied [registry] {registry}/{source}:{tag} => [registry] {registry}/{repository}:{tag}",
    sessions: [
      {
        asks: copies,
        shares: "registry",
        requests: [
          {
            ...rows.request("GET", "/v2/{source}/manifests/{tag}", "reads the manifest of the source"),
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
    about: "looks up the digest of the tag, and lists what refers to it",
    prints: "{registry}/{repository}@{digest}",
    sessions: [
      {
        asks: reads,
        requests: [
          headManifest,
          rows.request("GET", "/v2/{repository}/referrers/{digest}", "lists what refers to the manifest"),
        ],
      },
    ],
  },
  {
    id: "repo-tags",
    name: "oras repo tags",
    about: "lists the tags",
    prints: "{tag}",
    sessions: [{ asks: reads, requests: [rows.listTags] }],
  },
  {
    id: "repo-ls",
    name: "oras repo ls",
    about: "lists the repositories of the registry",
    prints: "app\n…",
    sessions: [
      { asks: ["registry:catalog:*"], requests: [rows.request("GET", "/v2/_catalog", "lists the repositories")] },
    ],
  },
  {
    id: "manifest-delete",
    name: "oras manifest delete",
    about: "looks up the digest of the tag, reads the manifest, and deletes it",
    prints: "Deleted [registry] {registry}/{repository}:{tag}",
    sessions: [
      {
        asks: deletes,
        requests: [
          { ...headManifest, asks: reads },
          rows.getByDigest,
          rows.request("DELETE", "/v2/{repository}/manifests/{digest}", "deletes the manifest"),
        ],
      },
    ],
  },
]);
