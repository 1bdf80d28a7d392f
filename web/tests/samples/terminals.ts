/** Several things one after the other, as a terminal holds them. */

import type { Sample } from "./sample";

export const TERMINALS: Sample[] = [
  {
    text: `$ az acr token create -n MyToken -r contoso --repository team/hello content/read metadata/read
WARNING: Please store your generated credentials safely. Meanwhile you can use it through "docker login contoso.azurecr.lab:5243 -u MyToken -p hunter2".
{
  "credentials": {
    "passwords": [
      {
        "creationTime": "2026-01-01T00:00:00+00:00",
        "expiry": null,
        "name": "password1",
        "value": "hunter2"
      }
    ],
    "username": "MyToken"
  },
  "id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/contoso/tokens/MyToken",
  "name": "MyToken",
  "scopeMapId": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/contoso/scopeMaps/MyToken-scope-map",
  "status": "enabled"
}
$ echo hunter2 | docker login contoso.azurecr.io -u MyToken --password-stdin
Login Succeeded
$ docker push contoso.azurecr.io/team/hello:v1
The push refers to repository [contoso.azurecr.io/team/hello]
366fcdb0aca8: Preparing
5f70bf18a086: Layer already exists
denied: requested access to the resource is denied`,
    found: [
      "az token-create at contoso token MyToken map MyToken-scope-map [repositories/team/hello/content/read repositories/team/hello/metadata/read]",
      "unknown 95: unknown format",
      "token MyToken contoso MyToken-scope-map enabled [password1]",
      "docker login at contoso.azurecr.io as MyToken",
      "unknown 854: unknown format",
      "docker push contoso.azurecr.io/team/hello:v1 at contoso.azurecr.io",
      "error denied contoso.azurecr.io team/hello [repository:team/hello:pull,push]",
    ],
  },
  {
    text: `$ docker push contoso.azurecr.io/team/hello:v1
The push refers to repository [contoso.azurecr.io/team/hello]
366fcdb0aca8: Pushed
v1: digest: sha256:9871871fefb45aee1f3c36737bf3a95c997d4df61fed0b593e0e0047715507d4 size: 524`,
    found: ["docker push contoso.azurecr.io/team/hello:v1 at contoso.azurecr.io", "unknown 130: unknown format"],
  },
  {
    text: `$ sudo docker pull example.azurecr.io/nginx:latest
Trying to pull repository example.azurecr.io/nginx ... 
unauthorized: authentication required`,
    found: [
      "docker pull example.azurecr.io/nginx:latest at example.azurecr.io",
      "unknown 51: unknown format",
      "error unknown example.azurecr.io nginx",
    ],
  },
  {
    text: `$ curl -i -u MyToken:hunter2 https://contoso.azurecr.io/v2/team/app/tags/list
HTTP/1.1 401 Unauthorized
Www-Authenticate: Bearer realm="https://contoso.azurecr.io/oauth2/token",service="contoso.azurecr.io",scope="repository:team/app:metadata_read",error="insufficient_scope"

{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":[{"Type":"repository","Name":"team/app","Action":"metadata_read"}]}]}
$ az acr scope-map show -n ci -r contoso --query actions
[
  "repositories/team/app/content/read"
]`,
    found: [
      "unknown 0: unknown format",
      "challenge Bearer repository:team/app:metadata_read insufficient_scope",
      "unauthorized [repository:team/app:metadata_read]",
      "az scope-map-show at contoso ci",
      "scope map list ci contoso [repositories/team/app/content/read]",
    ],
  },
  {
    text: `\`\`\`
$ ./helm pull oci://contoso.azurecr.io/helm-charts/test-oci --version 0.1.0
Error: GET "https://contoso.azurecr.io/v2/helm-charts/test-oci/tags/list": GET "https://contoso.azurecr.io/oauth2/token?scope=repository%3Ahelm-charts%2Ftest-oci%3Ametadata_read%2Cpull&service=contoso.azurecr.io": unexpected status code 401: unauthorized: authentication required, visit https://aka.ms/acr/authorization for more information.
\`\`\``,
    found: [
      "helm pull contoso.azurecr.io/helm-charts/test-oci:0.1.0 at contoso.azurecr.io",
      "error unauthenticated contoso.azurecr.io helm-charts/test-oci [repository:helm-charts/test-oci:metadata_read]",
    ],
  },
  {
    text: `skopeo copy --dest-creds readonly:hunter2 oci:img:v1 docker://127.0.0.1:5100/team/nope:v1
Getting image source signatures
Copying blob sha256:60bd1fd5d111180fe59a6df4da6b6a3f0356b7f71585822e0c75241289a514f7
time="2026-11-21T23:03:29Z" level=fatal msg="writing blob: initiating layer upload to /v2/team/nope/blobs/uploads/ in 127.0.0.1:5100: errors:\\ndenied: requested access to the resource is denied\\nunauthorized: authentication required\\n"`,
    found: [
      "skopeo copy 127.0.0.1:5100/team/nope:v1 at 127.0.0.1:5100 as readonly",
      "unknown 90: unknown format",
      "error denied 127.0.0.1:5100 team/nope [repository:team/nope:pull,push]",
    ],
  },
  {
    text: `[error] Failed to fetch something [else]
[2026-01-01] "unauthorized"
{not closed
repositories/a/content/read`,
    found: [
      "unknown 0: unknown format",
      "error unknown",
      "unknown 69: missing closing bracket",
      "scope map lines [repositories/a/content/read]",
    ],
  },
];
