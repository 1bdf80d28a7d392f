/**
 * What looks for new tags by itself: Renovate, Flux and Argo CD Image Updater.
 *
 * Read in their sources. Each of them once asked for `pull` only, and failed on Azure Container
 * Registry, where listing tags needs `metadata_read`; now they follow the challenge, or ask for it,
 * and what is left is a scope map without `metadata/read`.
 */

import { asChallenged, challengeFirst, once } from "./asking";
import { client } from "./operation";
import * as rows from "./rows";

const reads = ["repository:{repository}:pull"];

export const renovate = client(
  "renovate",
  { asking: asChallenged, says: "WARN: Failed to look up docker package {registry}/{repository}: no-result" },
  [
    {
      id: "scan",
      name: "Renovate: list tags",
      about: "Lists the tags with the scopes of the challenge, then reads the newest manifest with `pull`.",
      prints: "INFO: Dependency extraction complete",
      sessions: [
        { asks: [], requests: [rows.request("GET", "/v2/{repository}/tags/list?n=10000", "List tags")] },
        {
          asking: once,
          asks: reads,
          requests: [rows.ping, { ...rows.getManifest, goesOn: "Proposes the tag without digest or labels." }],
        },
      ],
    },
  ],
);

export const flux = client(
  "flux",
  { asking: challengeFirst, says: "scan failed: {method} {url}: UNAUTHORIZED: {message}; {detail}" },
  [
    {
      id: "scan",
      name: "Flux: ImageRepository scan",
      about: "Lists the tags, as crane does.",
      prints: "successful scan: found 1 tags",
      sessions: [
        {
          asks: reads,
          requests: [rows.ping, rows.request("GET", "/v2/{repository}/tags/list?n=1000", "List tags")],
        },
      ],
    },
  ],
);

export const argocdImageUpdater = client(
  "argocd-image-updater",
  {
    asking: once,
    says: 'level=error msg="Could not get tags from registry: errors:\\ndenied: requested access to the resource is denied\\nunauthorized: {message}\\n" image_name={repository} registry={registry}',
  },
  [
    {
      id: "scan",
      name: "Argo CD Image Updater: list tags",
      about: "Lists the tags. Update strategies by age also read the manifest and the configuration.",
      prints:
        'level=info msg="Processing results: applications=1 images_considered=1 images_skipped=0 images_updated=1 errors=0"',
      sessions: [
        {
          asks: reads,
          asksOf: { acr: ["repository:{repository}:pull,metadata_read,content_read"] },
          requests: [rows.ping, rows.listTags],
        },
      ],
    },
  ],
);
