/**
 * skopeo 1.9.
 *
 * Each image that it touches has a session of its own, with scopes by what is to be done: `pull`,
 * `pull,push`, or `*` for a deletion.
 */

import { addsTheChallenge } from "./asking";
import { begins, cannotList, ends, errors, push, reads, readsManifest, writes, writesLayer } from "./containers";
import { client, type Request } from "./operation";
import * as rows from "./rows";

const fatal = "FATA[0000] ";
const source = { asks: ["repository:{source}:pull"], shares: "source" };
const destination = { asks: writes, shares: "destination" };
const fails = `{body} (401 Unauthorized)`;
const readSource: Request = {
  ...rows.request("GET", "/v2/{source}/manifests/{tag}", "Get the source manifest"),
  says: `${fatal}initializing source docker://{registry}/{source}:{tag}: reading manifest {tag} in {registry}/{source}: ${errors}`,
};

const readLayer = rows.request("GET", "/v2/{source}/blobs/{layer}", "Get the source layer");
const readConfig = rows.request("GET", "/v2/{source}/blobs/{config}", "Get the source configuration");

export const skopeo = client(
  "skopeo",
  {
    asking: addsTheChallenge,
    says: `${fatal}initializing source docker://{registry}/{repository}:{tag}: ${readsManifest}`,
  },
  [
    {
      id: "login",
      name: "skopeo login",
      about: "Checks the credentials and saves them.",
      prints: "Login Succeeded!",
      sessions: [{ asks: [], requests: [rows.ping, rows.loggedIn] }],
    },
    {
      id: "inspect",
      name: "skopeo inspect",
      about: "Reads the manifest and the configuration, and lists the tags unless `--no-tags` is given.",
      prints: '{\n    "Name": "{registry}/{repository}",\n    …',
      says: `${fatal}Error parsing image name "docker://{registry}/{repository}:{tag}": ${readsManifest}`,
      sessions: [
        { asks: reads, requests: [rows.ping, rows.getManifest, rows.getConfig] },
        {
          asks: reads,
          requests: [rows.ping, { ...rows.listTags, says: `${fatal}Error determining repository tags: ${cannotList}` }],
        },
      ],
    },
    {
      id: "list-tags",
      name: "skopeo list-tags",
      about: "Lists the tags of a repository.",
      prints: '{\n    "Repository": "{registry}/{repository}",\n    "Tags": [ …',
      says: `${fatal}Error listing repository tags: ${cannotList}`,
      sessions: [{ asks: reads, requests: [rows.ping, rows.listTags] }],
    },
    {
      id: "push",
      name: "skopeo copy (upload)",
      about: "Uploads missing layers and the configuration, then the manifest.",
      prints: "Writing manifest to image destination",
      sessions: [{ asks: writes, requests: push(fatal) }],
    },
    {
      id: "pull",
      name: "skopeo copy (download)",
      about: "Reads the manifest, then the layers.",
      prints: "Writing manifest to image destination",
      sessions: [{ asks: reads, requests: [rows.ping, rows.getManifest, ...rows.getBlobs] }],
    },
    {
      id: "copy",
      name: "skopeo copy",
      about: "Copies an image from one repository to another, and mounts layers that skopeo has seen before.",
      prints: "Writing manifest to image destination",
      sessions: [
        { ...source, requests: [rows.ping, readSource] },
        { ...destination, requests: begins(fatal) },
        { ...source, requests: [readLayer] },
        { ...destination, requests: writesLayer(fatal) },
        { ...source, requests: [readConfig] },
        { ...destination, requests: ends(fatal) },
      ],
    },
    {
      id: "delete",
      name: "skopeo delete",
      about: "Finds the digest of the tag, then deletes the manifest.",
      prints: "",
      says: `${fatal}Failed to delete {registry}/{repository}:{tag}: ${fails}`,
      sessions: [
        {
          asks: ["repository:{repository}:*"],
          requests: [
            rows.ping,
            rows.getManifest,
            {
              ...rows.request("DELETE", "/v2/{repository}/manifests/{digest}", "Delete the manifest"),
              says: `${fatal}Failed to delete {path}: ${fails}`,
            },
          ],
        },
      ],
    },
  ],
);
