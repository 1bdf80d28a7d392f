/** Requests that several clients send. */

import type { Request } from "./operation";

type Rest = Omit<Request, "method" | "target" | "purpose">;

export function request(method: string, target: string, purpose: string, rest: Rest = {}): Request {
  return { method, target, purpose, ...rest };
}

/** What every session of docker's family begins with. */
export const ping = request("GET", "/v2/", "Discover the token server", { anonymous: true });

/** What every login ends with. */
export const loggedIn = request("GET", "/v2/", "Check the token, which needs no permission");

export const headManifest = request("HEAD", "/v2/{repository}/manifests/{tag}", "Look up the digest of the tag");
export const getManifest = request("GET", "/v2/{repository}/manifests/{tag}", "Get manifest");
export const getByDigest = request("GET", "/v2/{repository}/manifests/{digest}", "Get manifest");
export const getConfig = request("GET", "/v2/{repository}/blobs/{config}", "Get the configuration");
export const getLayer = request("GET", "/v2/{repository}/blobs/{layer}", "Get a layer");
export const listTags = request("GET", "/v2/{repository}/tags/list", "List tags");

export const headLayer = request("HEAD", "/v2/{repository}/blobs/{layer}", "Check that the layer exists");
export const startUpload = request("POST", "/v2/{repository}/blobs/uploads/", "Start upload");
export const sendLayer = request("PATCH", "/v2/{repository}/blobs/uploads/{upload}", "Upload layer");
export const endUpload = request("PUT", "/v2/{repository}/blobs/uploads/{upload}?digest={layer}", "Finish upload");
export const putManifest = request("PUT", "/v2/{repository}/manifests/{tag}", "Put manifest");
export const mount = request(
  "POST",
  "/v2/{repository}/blobs/uploads/?from={source}&mount={layer}",
  "Mount the layer from the other repository",
);

/** An upload in the three steps that most clients take. */
export const upload: readonly Request[] = [startUpload, sendLayer, endUpload];

/** The configuration is uploaded even where every layer is mounted. */
export const uploadConfig: readonly Request[] = [
  request("HEAD", "/v2/{repository}/blobs/{config}", "Check that the configuration exists"),
  startUpload,
  request("PATCH", "/v2/{repository}/blobs/uploads/{upload}", "Upload the configuration"),
  request("PUT", "/v2/{repository}/blobs/uploads/{upload}?digest={config}", "Finish upload"),
];

/** The upload of a layer, sent only when a mount did not work. */
export const uploadInstead: readonly Request[] = upload.map((each) => ({ ...each, when: "refused" }));

/** The blobs of an image, of which one cannot be read without the other. */
export const getBlobs: readonly Request[] = [getConfig, getLayer];
