/**
 * Helm 3.22, for charts in a registry. The repository is the chart's, and the tag is its version.
 *
 * Tags are listed wherever no exact version is given, and that is what a map with `content/read`
 * alone does not allow on Azure Container Registry. Older versions list them for every dependency,
 * even with an exact version.
 */

import { mergesTheChallenge } from "./asking";
import { client, type Request } from "./operation";
import { endUpload, headByDigest, reads, writes } from "./oras";
import * as rows from "./rows";

const refused = 'Error: {method} "{url}": response status code 401: unauthorized: {message}: {detail}';
const fetched =
  'failed to perform "FetchReference" on source: {method} "{url}": response status code 401: unauthorized: {message}: {detail}';

/** Reads the chart; each command has its own words before those of the library. */
function fetches(before: string): readonly Request[] {
  return [{ ...rows.getManifest, says: `Error: ${before}${fetched}` }, ...rows.getBlobs];
}

/** The version is found among the tags first. */
function finds(before: string): Request {
  return { ...rows.listTags, says: refused.replace("Error: ", `Error: ${before}`) };
}

function pushed(request: Request, what: string): Request {
  const says = `Error: failed to perform "${what}" on destination: {method} "{url}": response status code 401: unauthorized: {message}: {detail}`;
  return { ...request, says };
}

const downloads = "could not download oci://{registry}/{repository}: ";

export const helm = client("helm", { asking: mergesTheChallenge, says: refused }, [
  {
    id: "login",
    name: "helm registry login",
    about: "Checks the credentials and saves them.",
    prints: "Login Succeeded",
    sessions: [{ asks: [], requests: [rows.loggedIn] }],
  },
  {
    id: "pull",
    name: "helm pull --version",
    about: "Reads the chart of an exact version. Without `--version` it lists the tags first, like `helm show`.",
    prints: "Pulled: {registry}/{repository}:{tag}",
    sessions: [{ asks: reads, requests: fetches("") }],
  },
  {
    id: "push",
    name: "helm push",
    about: "Uploads what is missing, then the manifest by its digest and by its version.",
    prints: "Pushed: {registry}/{repository}:{tag}",
    sessions: [
      {
        asks: writes,
        requests: [
          {
            ...headByDigest,
            says: 'Error: failed to perform "Exists" on destination: {method} "{url}": response status code 401: Unauthorized',
          },
          rows.headLayer,
          pushed(rows.startUpload, "Push"),
          pushed(endUpload, "Push"),
          pushed(rows.request("PUT", "/v2/{repository}/manifests/{digest}", "Put manifest"), "Push"),
          rows.getByDigest,
          pushed(rows.request("PUT", "/v2/{repository}/manifests/{tag}", "Put manifest by its version"), "Tag"),
        ],
      },
    ],
  },
  {
    id: "install",
    name: "helm install",
    about: "Lists the tags to find the newest version, then reads the chart. With `--version` it lists nothing.",
    prints: "Pulled: {registry}/{repository}:{tag}",
    sessions: [{ asks: reads, requests: [finds("INSTALLATION FAILED: "), ...fetches("INSTALLATION FAILED: ")] }],
  },
  {
    id: "dependency-update",
    name: "helm dependency update",
    about:
      "Lists the tags to find the newest version within a range, then reads the chart. An exact version needs no list.",
    prints: "Saving 1 charts\nPulled: {registry}/{repository}:{tag}\nDeleting outdated charts",
    sessions: [
      {
        asks: reads,
        requests: [finds("could not retrieve list of tags for repository oci://{parent}: "), ...fetches(downloads)],
      },
    ],
  },
  {
    id: "show",
    name: "helm show chart",
    about: "Lists the tags to find the newest version, then reads the chart. With `--version` it lists nothing.",
    prints: "Pulled: {registry}/{repository}:{tag}",
    sessions: [{ asks: reads, requests: [finds(""), ...fetches("")] }],
  },
]);
