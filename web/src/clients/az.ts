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

const begins: readonly Request[] = [{ ...rows.ping, purpose: "Check that the registry is reachable" }, rows.ping];
const azure = ["acr"] as const;

const metadata = (actions: string): string[] => [`repository:{repository}:${actions}`];
const tags = request("GET", "/acr/v1/{repository}/_tags?n=100", "List tags");
const oneTag = request("GET", "/acr/v1/{repository}/_tags/{tag}", "Look up the tag");

export const az = client(
  "az",
  { asking: once, says: "ERROR: Error: {message}", absent: "ERROR: The requested data does not exist." },
  [
    {
      id: "login",
      name: "az acr login --username",
      about: "Checks that the registry is reachable, then logs docker in.",
      prints: "Login Succeeded",
      sessions: [{ asks: [], requests: [...begins, rows.loggedIn] }],
    },
    {
      id: "repository-list",
      name: "az acr repository list",
      about: "Lists the repositories of the registry.",
      prints: '[\n  "{repository}",\n  …',
      sessions: [
        {
          asks: ["registry:catalog:*"],
          requests: [...begins, request("GET", "/v2/_catalog?n=100", "List repositories")],
        },
      ],
    },
    {
      id: "repository-show",
      name: "az acr repository show",
      about: "Reads the attributes of a repository.",
      prints: '{\n  "changeableAttributes": {\n  …',
      profiles: azure,
      sessions: [
        {
          asks: metadata("metadata_read"),
          requests: [...begins, request("GET", "/acr/v1/{repository}", "Read the attributes")],
        },
      ],
    },
    {
      id: "repository-show-tags",
      name: "az acr repository show-tags",
      about: "Lists the tags of a repository.",
      prints: '[\n  "{tag}",\n  …',
      profiles: azure,
      sessions: [{ asks: metadata("metadata_read"), requests: [...begins, tags] }],
    },
    {
      id: "repository-delete",
      name: "az acr repository delete --repository",
      about: "Deletes a repository and everything in it.",
      prints: '{\n  "manifestsDeleted": [ …',
      profiles: azure,
      sessions: [
        {
          asks: metadata("delete,metadata_read"),
          requests: [...begins, request("DELETE", "/acr/v1/{repository}", "Delete the repository")],
        },
      ],
    },
    {
      id: "repository-delete-image",
      name: "az acr repository delete --image",
      about:
        "Finds the digest of a tag, then deletes the manifest with all its tags. `content/delete` alone is not enough.",
      prints: "",
      profiles: azure,
      sessions: [
        {
          asks: metadata("delete,metadata_read"),
          requests: [
            ...begins,
            oneTag,
            tags,
            request("DELETE", "/v2/{repository}/manifests/{digest}", "Delete the manifest"),
          ],
        },
      ],
    },
    {
      id: "repository-untag",
      name: "az acr repository untag",
      about: "Removes a tag but keeps the manifest. Needs `delete`, although the docs say `metadata/write`.",
      prints: "",
      profiles: azure,
      sessions: [
        {
          asks: metadata("delete"),
          requests: [...begins, request("DELETE", "/acr/v1/{repository}/_tags/{tag}", "Remove the tag")],
        },
      ],
    },
    {
      id: "repository-update",
      name: "az acr repository update",
      about: "Locks or unlocks a repository.",
      prints: '{\n  "changeableAttributes": {\n  …',
      profiles: azure,
      sessions: [
        {
          asks: metadata("metadata_write,metadata_read"),
          requests: [...begins, request("PATCH", "/acr/v1/{repository}", "Update the attributes")],
        },
      ],
    },
    {
      id: "manifest-list",
      name: "az acr manifest list",
      about: "Lists the manifests and reads each of them.",
      prints: '[\n  {\n    "schemaVersion": 2,\n  …',
      profiles: azure,
      sessions: [
        {
          asks: metadata("pull,metadata_read"),
          requests: [
            ...begins,
            request("GET", "/acr/v1/{repository}/_manifests?n=100", "List manifests"),
            rows.getByDigest,
          ],
        },
      ],
    },
    {
      id: "manifest-list-metadata",
      name: "az acr manifest list-metadata",
      about: "Lists the manifests with their tags and times.",
      prints: '[\n  {\n    "digest": "{digest}",\n  …',
      profiles: azure,
      sessions: [
        {
          asks: metadata("metadata_read"),
          requests: [...begins, request("GET", "/acr/v1/{repository}/_manifests?n=100", "List manifests")],
        },
      ],
    },
    {
      id: "import",
      name: "az acr import (from this registry)",
      about: "Another registry pulls from this one. Writing there needs a role, not a scope map.",
      prints: "",
      says: "ERROR: Invalid message Unauthorized Unauthorized {body}",
      sessions: [{ asking: asChallenged, asks: [], requests: [rows.getManifest, ...rows.getBlobs] }],
    },
  ],
);
