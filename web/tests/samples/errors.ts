/** What clients print when they may not; their own words, other names. */

import type { Sample } from "./sample";

export const ERRORS: Sample[] = [
  {
    text: 'level=error msg="Could not get tags from registry: denied: requested access to the resource is denied" image_name=team/app registry=contoso.azurecr.io',
    found: ["error denied contoso.azurecr.io team/app [repository:team/app:metadata_read]"],
  },
  {
    text: "GET https:?scope=repository%3Ateam%2Fapp%3Apull&service=contoso.azurecr.io: UNAUTHORIZED: authentication required",
    found: ["error unauthenticated contoso.azurecr.io team/app [repository:team/app:pull]"],
  },
  {
    text: 'Error response from daemon: Get "https://contoso.azurecr.io/v2/": unexpected EOF',
    found: ["error unreachable contoso.azurecr.io"],
  },
  {
    text: 'Error response from daemon: Get "https://contoso.azurecr.io/v2/": something that nobody has seen',
    found: ["error unknown contoso.azurecr.io"],
  },
  {
    text: "unexpected status from HEAD request to https://contoso.azurecr.io/v2/team/app/manifests/500: 429 Too Many Requests",
    found: ["error unavailable contoso.azurecr.io team/app [repository:team/app:pull]"],
  },
  {
    text: "HTTP/2 503\nretry-after: 5\n",
    found: ["error unavailable"],
  },
  {
    text: 'time="2026-11-21T23:03:29Z" level=debug msg="GET https://contoso.azurecr.io/v2/team/app/manifests/v1"',
    found: [],
  },
  {
    text: "$ docker login contoso.azurecr.io --password-stdin <<EOF\nx\nEOF",
    found: ["docker login at contoso.azurecr.io", "unknown 57: unknown format"],
  },
  {
    text: "denied: requested access to the resource is denied",
    found: ["error denied"],
  },
  {
    text: "unauthorized: authentication required, visit https://aka.ms/acr/authorization for more information.",
    found: ["error unknown"],
  },
  {
    text: "Error response from daemon: Get https://myserver.azurecr.io/v2/: unauthorized: authentication required",
    found: ["error unauthenticated myserver.azurecr.io"],
  },
  {
    text: 'Get "http://localhost:5100/v2/": unauthorized: bad password',
    found: ["error unauthenticated localhost:5100"],
  },
  {
    text: 'Error response from daemon: Head "https://contoso.azurecr.io/v2/team/base/manifests/v2": unauthorized: authentication required, visit https://aka.ms/acr/authorization for more information.',
    found: ["error unknown contoso.azurecr.io team/base [repository:team/base:pull]"],
  },
  {
    text: `Failed to pull image "contoso.azurecr.io/backend:0.10.0-dev":
rpc error: code = Unknown desc = Error response from daemon:
Head "https://contoso.azurecr.io/v2/backend/manifests/0.10.0-dev":
unauthorized: authentication required, visit https://aka.ms/acr/authorization for more information.`,
    found: ["error unknown contoso.azurecr.io backend [repository:backend:pull]"],
  },
  {
    text: 'Failed to pull image "myacr.azurecr.io/fluent/fluent-bit:3.1.6": failed to pull and unpack image "myacr.azurecr.io/fluent/fluent-bit:3.1.6": failed to resolve reference "myacr.azurecr.io/fluent/fluent-bit:3.1.6": failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://myacr.azurecr.io/oauth2/token?scope=repository%3Afluent%2Ffluent-bit%3Apull&service=myacr.azurecr.io: 401 Unauthorized',
    found: ["error unauthenticated myacr.azurecr.io fluent/fluent-bit [repository:fluent/fluent-bit:pull]"],
  },
  {
    text: `  Normal   Pulling         59m (x3 over 60m)    kubelet  Pulling image "myregistry.azurecr.io/test-image:latest"
  Warning  Failed          59m (x3 over 60m)    kubelet  Failed to pull image "myregistry.azurecr.io/test-image:latest": failed to pull and unpack image "myregistry.azurecr.io/test-image:latest": failed to resolve reference "myregistry.azurecr.io/test-image:latest": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed
  Warning  Failed          59m (x3 over 60m)    kubelet  Error: ErrImagePull
  Warning  Failed          58m (x5 over 60m)    kubelet  Error: ImagePullBackOff`,
    found: ["unknown 2: unknown format", "error denied myregistry.azurecr.io test-image [repository:test-image:pull]"],
  },
  {
    text: 'Failed to pull image "contoso.azurecr.io/preprocess": [rpc error: code = Unknown desc = Error response from daemon: manifest for contoso.azurecr.io/preprocess:latest not found: manifest unknown: manifest unknown, rpc error: code = Unknown desc = Error response from daemon: Get https://contoso.azurecr.io/v2/preprocess/manifests/latest: unauthorized: authentication required]',
    found: ["error absent contoso.azurecr.io preprocess [repository:preprocess:pull]"],
  },
  {
    text: "Error: failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized",
    found: ["error unauthenticated"],
  },
  {
    text: 'Error: could not retrieve list of tags for repository oci://contoso.azurecr.io/helm: GET "https://contoso.azurecr.io/v2/helm/chart-library/tags/list": GET "https://contoso.azurecr.io/oauth2/token?scope=repository%3Ahelm%2Fchart-library%3Ametadata_read%2Cpull&service=contoso.azurecr.io": unexpected status code 401: unauthorized: authentication required, visit https://aka.ms/acr/authorization for more information.',
    found: [
      "error unauthenticated contoso.azurecr.io helm/chart-library [repository:helm/chart-library:metadata_read]",
    ],
  },
  {
    text: "2019/10/16 15:55:29 reading tags for contoso.azurecr.io: UNAUTHORIZED: authentication required; [map[Action:pull Class: Name:library/app Type:repository]]",
    found: ["error unknown library/app [repository:library/app:pull]"],
  },
  {
    text: "Error: fetching catalog: GET https://contoso.azurecr.io/v2/_catalog?n=1000: UNAUTHORIZED: authentication required, visit https://aka.ms/acr/authorization for more information.; [map[Action:* Name:catalog Type:registry]]",
    found: ["error unknown contoso.azurecr.io [registry:catalog:*]"],
  },
  {
    text: "ERROR: ✗ GET https://contoso.azurecr.io/oauth2/token?scope=repository%3Aapp%3Apull&service=contoso.azurecr.io: UNAUTHORIZED: authentication required, visit https://aka.ms/acr/authorization for more information.",
    found: ["error unauthenticated contoso.azurecr.io app [repository:app:pull]"],
  },
  {
    text: 'time="2026-11-21T23:03:29Z" level=fatal msg="logging into \\"127.0.0.1:5100\\": invalid username/password"',
    found: ["error unauthenticated"],
  },
  {
    text: 'time="2026-11-21T23:03:29Z" level=error msg="Failed to parse the authentication scope from the given challenge" challenge="{bearer map[error:insufficient_scope realm:http://127.0.0.1:5101/oauth2/token scope:repository:other/copy:pull repository:team/nope:pull,push service:lab.registry]}" error="error parsing auth scope: \'repository:other/copy:pull repository:team/nope:pull,push\'" scope="repository:other/copy:pull repository:team/nope:pull,push"',
    found: ["error denied other/copy [repository:other/copy:pull repository:team/nope:pull,push]"],
  },
  {
    text: 'time="2026-11-21T23:03:29Z" level=fatal msg="writing blob: initiating layer upload to /v2/team/nope/blobs/uploads/ in 127.0.0.1:5100: errors:\\ndenied: requested access to the resource is denied\\nunauthorized: authentication required\\n"',
    found: ["error denied 127.0.0.1:5100 team/nope [repository:team/nope:pull,push]"],
  },
  {
    text: 'time="2026-11-21T23:04:13Z" level=fatal msg="trying to reuse blob sha256:60bd1fd5d111180fe59a6df4da6b6a3f0356b7f71585822e0c75241289a514f7 at destination: checking whether a blob sha256:60bd1fd5d111180fe59a6df4da6b6a3f0356b7f71585822e0c75241289a514f7 exists in 127.0.0.1:5100/team/idtok: errors:\\nunauthorized: authentication required\\nerror parsing HTTP 401 response body: unexpected end of JSON input: \\"\\"\\n"',
    found: ["error unknown 127.0.0.1:5100 team/idtok [repository:team/idtok:pull,push]"],
  },
  {
    text: "FATA[0001] trying to reuse blob sha256:339de151aab4bc06eed8409daae147c408478cb538dacb90cc63f19ad4eba80b at destination: unable to retrieve auth token: invalid username/password: unauthorized: authentication required, visit https://aka.ms/acr/authorization for more information.",
    found: ["error unauthenticated"],
  },
  {
    text: 'time="2022-06-06T12:29:41Z" level=fatal msg="initializing source docker://contoso.azurecr.io/app:v1: reading manifest v1 in contoso.azurecr.io/app: unauthorized: authentication required"',
    found: ["error unknown contoso.azurecr.io app [repository:app:pull]"],
  },
  {
    text: 'Error: initializing source docker://contoso.azurecr.io/app:v1: pinging container registry contoso.azurecr.io: Get "https://contoso.azurecr.io/v2/": dial tcp: lookup contoso.azurecr.io: no such host',
    found: ["error unreachable contoso.azurecr.io app [repository:app:pull]"],
  },
  {
    text: "#26 ERROR: failed to push contoso.azurecr.io/app:latest: server message: insufficient_scope: authorization failed",
    found: ["error denied contoso.azurecr.io app [repository:app:pull,push]"],
  },
  {
    text: "ERROR: failed to solve: failed to push contoso.azurecr.io/app:1: unexpected status from POST request to https://contoso.azurecr.io/v2/app/blobs/uploads/: 401 Unauthorized",
    found: ["error unknown contoso.azurecr.io app [repository:app:pull,push]"],
  },
  {
    text: "Error response from daemon: pull access denied for contoso.azurecr.io/app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    found: ["error denied contoso.azurecr.io app [repository:app:pull]"],
  },
  {
    text: "ERROR: authentication required, visit https://aka.ms/acr/authorization for more information. Correlation ID: d1de6b02-8fba-45c9-88ee-7692ce3d7639.",
    found: ["error unknown"],
  },
  {
    text: `Unable to get AAD authorization tokens with message: Registry 'contoso.azurecr.io' did not issue a challenge.
Error: requested access to the resource is denied. Correlation ID: d1de6b02-8fba-45c9-88ee-7692ce3d7639.`,
    found: ["error unauthenticated contoso.azurecr.io", "error denied"],
  },
  {
    text: `ERROR: 2026-01-01 10:00:00.000000 An error occurred: CONNECTIVITY_ACCESS_TOKEN_ERROR
Access to registry 'contoso.azurecr.io' was denied. Response code: 401. Please try running 'az login' again to refresh permissions.`,
    found: ["error unauthenticated contoso.azurecr.io"],
  },
  {
    text: 'Deployment failed. Correlation ID: d9eac6a3-d837-4e82-9b85-38e819c9daf5. Invalid message Unauthorized Unauthorized {"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":[{"Type":"repository","Class":"","Name":"nats","Action":"pull"}]}]}',
    found: ["unauthorized [repository:nats:pull]"],
  },
  {
    text: 'Error: failed to push: POST "https://contoso.azurecr.io/v2/app/blobs/uploads/": response status code 401: unauthorized: authentication required: [map[Action:pull Name:app Type:repository] map[Action:push Name:app Type:repository]]',
    found: ["error unknown contoso.azurecr.io app [repository:app:pull,push]"],
  },
  {
    text: 'Error response from daemon: manifest for contoso.azurecr.io/app:v9 not found: manifest unknown: manifest tagged by "v9" is not found',
    found: ["error absent contoso.azurecr.io app [repository:app:pull]"],
  },
  {
    text: "denied: Insufficient scopes to perform the operation",
    found: ["error denied"],
  },
  {
    text: "Error response from daemon: login attempt to https://contoso.azurecr.io/v2/ failed with status: 403 Forbidden",
    found: ["error unreachable contoso.azurecr.io"],
  },
  {
    text: "docker: Error response from daemon: pull access denied for app, repository does not exist or may require 'docker login'.",
    found: ["error denied app [repository:app:pull]"],
  },
  {
    text: "no basic auth credentials",
    found: ["error unauthenticated"],
  },
  {
    text: '{"errorDetail":{"message":"unauthorized: authentication required"},"error":"unauthorized: authentication required"}',
    found: ["error unknown"],
  },
  {
    text: "Got permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
    found: ["unknown 0: unknown format"],
  },
  {
    text: `docker push contoso.azurecr.io/Team/App:v1
invalid reference format: repository name must be lowercase`,
    found: ["unknown 31: uppercase letter in the repository name", "error unknown"],
  },
];
