/**
 * containerd 1.6, by itself and below the kubelet.
 *
 * It sends the first request of each part as it is, then asks for its own scope beside the
 * challenge's. The registry's word for a token that is not enough, `insufficient_scope`, comes
 * through to the person.
 */

import { besideTheChallenge } from "./asking";
import { client, type Session } from "./operation";
import * as rows from "./rows";

const reads = ["repository:{repository}:pull"];
const writes = ["repository:{repository}:pull", "repository:{repository}:pull,push"];
const message = "server message: insufficient_scope: authorization failed";
const resolving = `failed to resolve reference "{registry}/{repository}:{tag}": pull access denied, repository does not exist or may require authorization: ${message}`;

/** Resolving and fetching keep no tokens for each other. */
const pull: Omit<Session, "asking">[] = [
  { asks: reads, requests: [rows.headManifest] },
  { asks: reads, requests: [rows.getByDigest, ...rows.getBlobs] },
];

export const containerd = client("containerd", { asking: besideTheChallenge, says: `ctr: ${resolving}` }, [
  {
    id: "pull",
    name: "ctr images pull",
    about: "Finds the digest of the tag, then reads the manifest and the layers.",
    prints: "done",
    sessions: pull,
  },
  {
    id: "push",
    name: "ctr images push",
    about: "Mounts layers from another repository where it can, uploads the rest, then uploads the manifest.",
    prints: "done",
    says: `ctr: ${message}`,
    sessions: [
      {
        asks: writes,
        requests: [
          rows.headLayer,
          { ...rows.mount, asks: ["repository:{source}:pull", ...writes] },
          rows.headManifest,
          rows.putManifest,
        ],
      },
    ],
  },
]);

export const kubelet = client("kubelet", { asking: besideTheChallenge, says: "" }, [
  {
    id: "pull",
    name: "Kubernetes node: pull image",
    about: "containerd pulls the image with the credentials of an image pull secret.",
    prints: 'Successfully pulled image "{registry}/{repository}:{tag}"',
    says: `Failed to pull image "{registry}/{repository}:{tag}": failed to pull and unpack image "{registry}/{repository}:{tag}": ${resolving}`,
    sessions: pull,
  },
]);
