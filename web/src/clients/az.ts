/**
 * `az acr` 2.91, with the name and the password of a token (`--username`, `--password`).
 *
 * It looks at `/v2/` twice, asks once for what the command is written to ask for, and never again.
 * Its data plane, `/acr/v1`, is Azure Container Registry's alone.
 */

import { asChallenged, once } from "./asking";
import { client, type Request } from "./operation";
import * as rows from "./rows";
import { request } from "./rows";

const begins: readonly Request[] = [{ ...rows.ping, purpose: "looks whether the registry answers" }, rows.ping];
const azure = ["acr"] as const;

const metadata = (actions: string): string[] => [`repository:{repository}:${actions}`];
const tags = request("GET", "/acr/v1/{repository}/_tags?n=100", "lists the tags");
const oneTag = request("GET", "/acr/v1/{repository}/_tags/{tag}", "looks up the tag");

export const az = client(
  "az",
  { asking: once, says: "ERROR: Error: {message}", absent: "ERROR: The requested data does not exist." },
  [
    {
      id: "login",
      name: "az acr login --username",
      about: "looks whether the registry answers, and has docker log in",
      prints: "Login Succeeded",
      sessions: [{ asks: [], requests: [...begins, rows.loggedIn] }],
    },
    {
      id: "repository-list",
      name: "az acr repository list",
      about: "lists the repositories of the registry",
      prints: '[\n  "{repository}",\n  …',
      sessions: [
        {
          asks: ["registry:catalog:*"],
          requests: [...begins, request("GET", "/v2/_catalog?n=100", "lists the repositories")],
        },
      ],
    },
    {
      id: "repository-show",
      name: "az acr repository show",
      about: "reads the attributes of a repository",
      prints: '{\n  "changeableAttributes": {\n  …',
      profiles: azure,
      sessions: [
        {
          asks: metadata("metadata_read"),
          requests: [...begins, request("GET", "/acr/v1/{repository}", "reads the attributes")],
        },
      ],
    },
    {
      id: "repository-show-tags",
      name: "az acr repository show-tags",
      about: "lists the tags",
      prints: '[\n  "{tag}",\n  …',
      profiles: azure,
      sessions: [{ asks: metadata("metadata_read"), requests: [...begins, tags] }],
    },
    {
      id: "repository-delete",
      name: "az acr repository delete --repository",
      about: "deletes a repository with all that is in it",
      prints: '{\n  "manifestsDeleted": [ …',
      profiles: azure,
      sessions: [
        {
          asks: metadata("delete,metadata_read"),
          requests: [...begins, request("DELETE", "/acr/v1/{repository}", "deletes the repository")],
        },
      ],
    },
    {
      id: "repository-delete-image",
      name: "az acr repository delete --image",
      about:
        "looks up the digest of a tag and its other tags, and deletes the manifest: `content/delete` alone is not enough",
      prints: "",
      profiles: azure,
      sessions: [
        {
          asks: metadata("delete,metadata_read"),
          requests: [
            ...begins,
            oneTag,
            tags,
            request("DELETE", "/v2/{repository}/manifests/{digest}", "deletes the manifest"),
          ],
        },
      ],
    },
    {
      id: "repository-untag",
      name: "az acr repository untag",
      about:
        "removes a tag and leaves the manifest; the registry wants `delete`, though the documentation says `metadata/write`",
      prints: "",
      profiles: azure,
      sessions: [
        {
          asks: metadata("delete"),
          requests: [...begins, request("DELETE", "/acr/v1/{repository}/_tags/{tag}", "removes the tag")],
        },
      ],
    },
    {
      id: "repository-update",
      name: "az acr repository update",
      about: "locks or unlocks a repository",
      prints: '{\n  "changeableAttributes": {\n  …',
      profiles: azure,
      sessions: [
        {
          asks: metadata("metadata_write,metadata_read"),
          requests: [...begins, request("PATCH", "/acr/v1/{repository}", "writes the attributes")],
        },
      ],
    },
    {
      id: "manifest-list",
      name: "az acr manifest list",
      about: "lists the manifests, and reads each of them",
      prints: '[\n  {\n    "schemaVersion": 2,\n  …',
      profiles: azure,
      sessions: [
        {
          asks: metadata("pull,metadata_read"),
          requests: [
            ...begins,
            request("GET", "/acr/v1/{repository}/_manifests?n=100", "lists the manifests"),
            rows.getByDigest,
          ],
        },
      ],
    },
    {
      id: "manifest-list-metadata",
      name: "az acr manifest list-metadata",
      about: "lists the manifests with their tags and times",
      prints: '[\n  {\n    "digest": "{digest}",\n  …',
      profiles: azure,
      sessions: [
        {
          asks: metadata("metadata_read"),
          requests: [...begins, request("GET", "/acr/v1/{repository}/_manifests?n=100", "lists the manifests")],
        },
      ],
    },
    {
      id: "import",
      name: "az acr import --username, from this registry",
      about: "has another registry pull from this one; writing there is a matter of roles, not of scope maps",
      prints: "",
      says: "ERROR: Invalid message Unauthorized Unauthorized {body}",
      sessions: [{ asking: asChallenged, asks: [], requests: [rows.getManifest, ...rows.getBlobs] }],
    },
  ],
);
