/**
 * podman 4.3, and buildah, which asks in the same way.
 *
 * It remembers where it saw layers, and mounts them from there; a repository that it may not read
 * it passes over.
 */

import { addsTheChallenge } from "./asking";
import { cannotList, errors, push, pushMount, reads, readsManifest, writes } from "./containers";
import { client } from "./operation";
import * as rows from "./rows";

const error = "Error: ";

export const podman = client(
  "podman",
  {
    asking: addsTheChallenge,
    says: `${error}initializing source docker://{registry}/{repository}:{tag}: ${readsManifest}`,
  },
  [
    {
      id: "login",
      name: "podman login",
      about: "Checks the credentials and saves them.",
      prints: "Login Succeeded!",
      sessions: [{ asks: [], requests: [rows.ping, rows.loggedIn] }],
    },
    {
      id: "pull",
      name: "podman pull",
      about: "Reads the manifest, then the layers.",
      prints: "Trying to pull {registry}/{repository}:{tag}...\nWriting manifest to image destination",
      sessions: [{ asks: reads, requests: [rows.ping, rows.getManifest, ...rows.getBlobs] }],
    },
    {
      id: "push",
      name: "podman push",
      about: "Uploads missing layers and the configuration, then the manifest.",
      prints: "Writing manifest to image destination",
      sessions: [{ asks: writes, requests: push(error) }],
    },
    {
      id: "push-mount",
      name: "podman push (cross-repository mount)",
      about: "Mounts layers that podman has seen in another repository of the same registry.",
      prints: "Writing manifest to image destination",
      sessions: [{ asks: writes, requests: pushMount(error) }],
    },
    {
      id: "manifest-inspect",
      name: "podman manifest inspect",
      about: "Reads the manifest.",
      prints: '{\n    "schemaVersion": 2,\n    …',
      says: `${error}${readsManifest}`,
      sessions: [{ asks: reads, requests: [rows.ping, rows.getManifest] }],
    },
    {
      id: "search",
      name: "podman search",
      about: "Lists the repositories of the registry and searches their names.",
      prints: "NAME                      DESCRIPTION\n{registry}/{repository}",
      says: `Error: 1 error occurred:\n\t* couldn't search registry "{registry}": unable to retrieve auth token: invalid username/password: ${errors}`,
      sessions: [{ asks: [], requests: [rows.ping, rows.request("GET", "/v2/_catalog", "List repositories")] }],
    },
    {
      id: "search-list-tags",
      name: "podman search --list-tags",
      about: "Lists the tags of a repository.",
      prints: "NAME                      TAG\n{registry}/{repository}  v1",
      says: `Error: 1 error occurred:\n\t* getting repository tags: ${cannotList}`,
      sessions: [{ asks: reads, requests: [rows.ping, rows.listTags] }],
    },
  ],
);
