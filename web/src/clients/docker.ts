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

const arrived: Request = rows.request("HEAD", "/v2/{repository}/blobs/{layer}", "looks whether the layer has arrived");
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
      about: "tries a name and a password, and keeps them",
      prints: "Login Succeeded",
      sessions: [{ asks: [], requests: [rows.ping, rows.loggedIn] }],
    },
    {
      id: "pull",
      name: "docker pull",
      about: "looks up the tag, then reads the manifest and the layers",
      prints: "Status: Downloaded newer image for {registry}/{repository}:{tag}\n{registry}/{repository}:{tag}",
      sessions: [
        {
          asks: ["repository:{repository}:pull"],
          requests: [
            rows.ping,
            {
              ...rows.headManifest,
              goesOn: "it reads the manifest by its tag, in case HEAD is what the registry does not like",
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
      about: "uploads each layer and the configuration, then writes the manifest",
      prints: `${refersTo}\n{tag}: digest: {digest} size: 522`,
      says: `${refersTo}\n${denied}`,
      sessions: [{ asks: pullAndPush, requests: [rows.ping, ...upload, rows.putManifest] }],
    },
    {
      id: "push-mount",
      name: "docker push, of layers from another repository",
      about:
        "mounts the layers that the engine knows from another repository of the same registry, and uploads those that it may not mount",
      prints: `${refersTo}\nMounted from {source}\n{tag}: digest: {digest} size: 522`,
      says: `${refersTo}\n${denied}`,
      sessions: [
        {
          asks: pullAndPush,
          requests: [
            rows.ping,
            { ...rows.headLayer, goesOn: "it goes on as if the layer were not there" },
            { ...rows.mount, asks: [...pullAndPush, "repository:{source}:pull"], goesOn: "it uploads the layer" },
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
      about: "reads the manifest and the configuration, without the engine",
      prints: '{\n\t"schemaVersion": 2,\n\t…',
      says: `errors:\n${denied}\nunauthorized: {message}`,
      sessions: [{ asks: ["repository:{repository}:pull"], requests: [rows.ping, rows.getManifest, rows.getConfig] }],
    },
  ],
);
