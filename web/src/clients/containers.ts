/** What podman and skopeo have in common: the library containers/image, at version 5.22. */

import type { Request } from "./operation";
import * as rows from "./rows";

export const reads = ["repository:{repository}:pull"];
export const writes = ["repository:{repository}:pull,push"];
const mounts = [...writes, "repository:{source}:pull"];

const denied = "denied: requested access to the resource is denied";

/**
 * The registry's errors, for requests whose answer has a body, and for those whose answer has
 * none.
 */
export const errors = `errors:\n${denied}\nunauthorized: {message}`;
const withoutBody = `errors:\n${denied}\nerror parsing HTTP 401 response body: unexpected end of JSON input: ""`;

export const readsManifest = `reading manifest {tag} in {registry}/{repository}: ${errors}`;
export const cannotList = `unable to retrieve auth token: invalid username/password: ${errors}`;

/** Writes an image; `before` is what the client says before the library's words. */
export function push(before: string): readonly Request[] {
  return [...begins(before), ...writesLayer(before), ...ends(before)];
}

/** The same with layers that it has seen in another repository. */
export function pushMount(before: string): readonly Request[] {
  const purpose = "Check that the layer exists where it was last seen";
  const elsewhere = rows.request("HEAD", "/v2/{source}/blobs/{layer}", purpose);
  const goesOn = "Uploads the layer instead.";
  return [
    ...begins(before),
    { ...elsewhere, asks: mounts, goesOn },
    { ...rows.mount, asks: mounts, goesOn, when: "passed" },
    ...writesLayer(before).map((request) => ({ ...request, when: "refused" as const })),
    ...ends(before),
  ];
}

/** Looks whether there is anything to upload. */
export function begins(before: string): readonly Request[] {
  const where = "checking whether a blob {layer} exists in {registry}/{repository}";
  const says = `${before}trying to reuse blob {layer} at destination: ${where}: ${withoutBody}`;
  return [rows.ping, { ...rows.headLayer, says }];
}

export function writesLayer(before: string): readonly Request[] {
  return rows.upload.map((request) => ({ ...request, says: `${before}${uploading}` }));
}

/** Uploads the configuration, and writes the manifest. */
export function ends(before: string): readonly Request[] {
  const says = `${before}writing manifest: uploading manifest {tag} to {registry}/{repository}: ${errors}`;
  const config = rows.uploadConfig.map((request) => ({ ...request, says: `${before}${uploading}` }));
  return [...config, { ...rows.putManifest, says }];
}

const uploading = `writing blob: initiating layer upload to /v2/{repository}/blobs/uploads/ in {registry}: ${errors}`;
