/**
 * docker: the engine 20.10 and the command line 28.2.
 *
 * The engine asks for its scopes after the first `/v2/`, in the order `push,pull`; the command line
 * asks by itself, as `pull,push`.
 */

import { once } from "./asking";
import { client, type Request } from "./operation";
import * as rows from "./rows";

const denied = "denied: requested access to the resource is denied";
const refersTo = "The push refers to repository [{registry}/{repository}]";
const pullAndPush = ["repository:{repository}:push,pull"];

const arrived: Request = rows.request("HEAD", "/v2/{repository}/blobs/{layer}", "Check that the layer exists");
const upload: readonly Request[] = [...rows.upload, arrived];

export const docker = client(
  "docker",
  {
    asking: once,
    says: `Error response from daemon: pull access denied for {registry}/{repository}, repository does not exist or may require 'docker login': ${denied}`,
  },
  [
    {
      id: "login",
      name: "docker login",
      about: "Checks the credentials and saves them.",
      prints: "Login Succeeded",
      sessions: [{ asks: [], requests: [rows.ping, rows.loggedIn] }],
    },
    {
      id: "pull",
      name: "docker pull",
      about: "Finds the digest of the tag, then reads the manifest and the layers.",
      prints: "Status: Downloaded newer image for {registry}/{repository}:{tag}\n{registry}/{repository}:{tag}",
      sessions: [
        {
          asks: ["repository:{repository}:pull"],
          requests: [
            rows.ping,
            {
              ...rows.headManifest,
              goesOn: "Retries with GET by tag, in case the registry rejects HEAD.",
            },
            { ...rows.getManifest, when: "refused" },
            { ...rows.getByDigest, when: "passed" },
            ...rows.getBlobs,
          ],
        },
      ],
    },
    {
      id: "push",
      name: "docker push",
      about: "Uploads the layers and the configuration, then the manifest.",
      prints: `${refersTo}\n{tag}: digest: {digest} size: 522`,
      says: `${refersTo}\n${denied}`,
      sessions: [{ asks: pullAndPush, requests: [rows.ping, ...upload, rows.putManifest] }],
    },
    {
      id: "push-mount",
      name: "docker push (cross-repository mount)",
      about: "Mounts layers from another repository of the same registry, and uploads those that it may not mount.",
      prints: `${refersTo}\nMounted from {source}\n{tag}: digest: {digest} size: 522`,
      says: `${refersTo}\n${denied}`,
      sessions: [
        {
          asks: pullAndPush,
          requests: [
            rows.ping,
            { ...rows.headLayer, goesOn: "Treats the layer as missing." },
            { ...rows.mount, asks: [...pullAndPush, "repository:{source}:pull"], goesOn: "Uploads the layer instead." },
            ...rows.uploadInstead,
            arrived,
            ...rows.uploadConfig,
            rows.putManifest,
          ],
        },
      ],
    },
    {
      id: "manifest-inspect",
      name: "docker manifest inspect",
      about: "Reads the manifest and the configuration, without the docker engine.",
      prints: '{\n\t"schemaVersion": 2,\n\t…',
      says: `errors:\n${denied}\nunauthorized: {message}`,
      sessions: [{ asks: ["repository:{repository}:pull"], requests: [rows.ping, rows.getManifest, rows.getConfig] }],
    },
  ],
);
