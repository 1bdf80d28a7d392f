/** Documents and single lines: scope maps, tokens, challenges, scopes, names. */

import type { Sample } from "./sample";

export const DOCUMENTS: Sample[] = [
  {
    text: `{
  "actions": [
    "repositories/team/hello/content/read",
    "repositories/team/hello/content/write"
  ],
  "creationDate": "2026-01-01T00:00:00+00:00",
  "description": "d",
  "id": "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/contoso/scopeMaps/MyScope",
  "name": "MyScope",
  "provisioningState": "Succeeded",
  "resourceGroup": "rg",
  "systemData": null,
  "type": "Microsoft.ContainerRegistry/registries/scopeMaps"
}`,
    found: [
      "scope map az MyScope contoso [repositories/team/hello/content/read repositories/team/hello/content/write]",
    ],
  },
  {
    text: '{"properties": {"description": "d", "actions": ["repositories/team/hello/content/read"], "provisioningState": "Succeeded", "type": "UserDefined"}, "id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/contoso/scopeMaps/MyScope", "name": "MyScope"}',
    found: ["scope map arm MyScope contoso [repositories/team/hello/content/read]"],
  },
  {
    text: `{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": { "registry": { "type": "string", "value": "contoso" } },
  "resources": [
    { "type": "Microsoft.ContainerRegistry/registries", "apiVersion": "2023-07-01", "name": "contoso", "location": "westeurope" },
    { "type": "Microsoft.ContainerRegistry/registries/scopeMaps", "apiVersion": "2023-07-01", "name": "contoso/ci",
      "properties": { "description": "for CI", "actions": ["repositories/ci/*/content/read", "repositories/ci/*/content/write"] } },
    { "type": "Microsoft.ContainerRegistry/registries/scopeMaps", "apiVersion": "2023-07-01", "name": "[concat(parameters('registry'), '/dev')]",
      "properties": { "actions": ["repositories/dev/*/content/read"] } },
    { "type": "Microsoft.ContainerRegistry/registries/tokens", "apiVersion": "2023-07-01", "name": "contoso/ci-token",
      "properties": { "status": "disabled", "scopeMapId": "[resourceId('Microsoft.ContainerRegistry/registries/scopeMaps', 'contoso', 'ci')]" } }
  ]
}`,
    found: [
      "scope map arm ci contoso [repositories/ci/*/content/read repositories/ci/*/content/write]",
      "scope map arm dev [repositories/dev/*/content/read]",
      "token ci-token contoso ci disabled",
    ],
  },
  {
    text: `[
  { "name": "one", "actions": ["repositories/a/content/read"] },
  { "name": "two", "actions": ["repositories/b/content/read"] }
]`,
    found: ["scope map az one [repositories/a/content/read]", "scope map az two [repositories/b/content/read]"],
  },
  {
    text: '["repositories/a/content/read", "repositories/a/content/write"]',
    found: ["scope map list [repositories/a/content/read repositories/a/content/write]"],
  },
  {
    text: "[repositories/a/content/read, repositories/b/content/read]",
    found: ["scope map list [repositories/a/content/read repositories/b/content/read]"],
  },
  {
    text: `actions:
- repositories/team/hello/content/read
- repositories/team/hello/metadata/read
description: d
name: MyScope
type: Microsoft.ContainerRegistry/registries/scopeMaps`,
    found: ["scope map az MyScope [repositories/team/hello/content/read repositories/team/hello/metadata/read]"],
  },
  {
    text: `    # indented, with comments
    name: ci
    properties:
      actions:
        - "repositories/team/hello/content/read"   # why`,
    found: ["scope map arm ci [repositories/team/hello/content/read]"],
  },
  {
    text: `repositories/a/content/read
repositories/a/content/write

# a comment
repositories/b*/content/read`,
    found: ["scope map lines [repositories/a/content/read repositories/a/content/write repositories/b*/content/read]"],
  },
  {
    text: `- repositories/a/content/read
- 'repositories/a/content/write'`,
    found: ["scope map lines [repositories/a/content/read repositories/a/content/write]"],
  },
  {
    text: `• repositories/a/content/read
• repositories/a/metadata/read, repositories/b/content/read`,
    found: ["scope map lines [repositories/a/content/read repositories/a/metadata/read repositories/b/content/read]"],
  },
  {
    text: `  "actions": [
    "repositories/cut/content/read",
    "repositories/off/content/read",`,
    found: [
      "unknown 2: unknown format",
      "scope map lines [repositories/cut/content/read repositories/off/content/read]",
    ],
  },
  {
    text: `resource "azurerm_container_registry_scope_map" "example" {
  name                    = "example-scope-map"
  container_registry_name = azurerm_container_registry.acr.name
  resource_group_name     = azurerm_resource_group.example.name
  /* what CI
     needs } */
  description = <<-EOT
    "quotes" and } braces
  EOT
  actions = [
    "repositories/repo1/content/read", # read
    "repositories/repo1/content/delete",
  ]
  timeouts {
    create = "10m"
  }
}

resource "azurerm_container_registry_token" "example" {
  name                    = "exampletoken"
  container_registry_name = "contoso"
  scope_map_id            = azurerm_container_registry_scope_map.example.id
  enabled                 = false
}`,
    found: [
      "scope map terraform example-scope-map [repositories/repo1/content/read repositories/repo1/content/delete]",
      "token exampletoken contoso example-scope-map disabled",
    ],
  },
  {
    text: `resource "azurerm_container_registry_scope_map" "x" {
  name    = "x-\${var.stage}"
  actions = [for r in var.repositories : "repositories/\${r}/content/read"]
}`,
    found: [
      "scope map terraform in part",
      "unknown 67: the value is an expression, so it can't be read here",
      "unknown 96: the list is an expression, so it can't be read here",
    ],
  },
  {
    text: `  # azurerm_container_registry_scope_map.ci will be updated in-place
  ~ resource "azurerm_container_registry_scope_map" "ci" {
      ~ actions = [
          - "repositories/a/content/write",
          + "repositories/b/content/read",
            # (2 unchanged elements hidden)
        ]
        name    = "ci"
        # (3 unchanged attributes hidden)
    }

  # azurerm_container_registry_token.ci must be replaced
-/+ resource "azurerm_container_registry_token" "ci" {
      ~ name         = "old" -> "ci" # forces replacement
      ~ scope_map_id = "/subscriptions/s/registries/contoso/scopeMaps/x" -> "/subscriptions/s/registries/contoso/scopeMaps/ci"
        # (1 unchanged attribute hidden)
    }

  # azurerm_container_registry_scope_map.gone will be destroyed
  - resource "azurerm_container_registry_scope_map" "gone" {
      - actions                 = [
          - "repositories/a/content/read",
        ] -> null
      - container_registry_name = "contoso" -> null
      - name                    = "gone" -> null
    }

Plan: 1 to add, 1 to change, 2 to destroy.`,
    found: [
      "scope map terraform in part ci [repositories/b/content/read]",
      "unknown 247: the item is an expression, so it can't be read here",
      "token ci ci unknown",
      "change at contoso deletes map gone",
      "unknown 1036: unknown format",
    ],
  },
  {
    text: `+ repositories/a/content/read
- repositories/a/content/write`,
    found: ["scope map lines [repositories/a/content/read]"],
  },
  {
    text: '-    "repositories/a/content/write",',
    found: [],
  },
  {
    text: JSON.stringify({
      $schema: "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
      parameters: {
        registry: { type: "string" },
        repos: { type: "array", defaultValue: ["a", "b"] },
        on: { type: "bool" },
      },
      variables: { loop: "[variables('loop')]", tokens: ["one", "two"] },
      resources: [
        {
          type: "Microsoft.ContainerRegistry/registries/scopeMaps",
          name: "[concat(parameters('registry'), '/ci')]",
          properties: {
            copy: [
              {
                name: "actions",
                count: "[length(parameters('repos'))]",
                input: "[format('repositories/{0}/content/read', parameters('repos')[copyIndex('actions')])]",
              },
            ],
          },
        },
        {
          type: "Microsoft.ContainerRegistry/registries/tokens",
          name: "[format('contoso/{0}', variables('tokens')[copyIndex()])]",
          copy: { name: "tokens", count: 2 },
          properties: {
            scopeMapId:
              "[resourceId('Microsoft.ContainerRegistry/registries/scopeMaps', 'contoso', variables('loop'))]",
            status: "[if(equals(copyIndex(), 0), 'disabled', if(parameters('on'), 'enabled', 'disabled'))]",
          },
        },
        {
          type: "Microsoft.ContainerRegistry/registries/scopeMaps",
          name: "contoso/never",
          condition: "[not(true())]",
          properties: { actions: ["repositories/c/content/read"] },
        },
        {
          type: "Microsoft.ContainerRegistry/registries/scopeMaps",
          name: "contoso/more",
          properties: { actions: "[union(createArray('repositories/d/content/write'), parameters('more'))]" },
        },
      ],
    }),
    found: [
      "scope map arm ci [repositories/a/content/read repositories/b/content/read]",
      "token one contoso disabled",
      "token two contoso unknown",
      "scope map arm in part more contoso [repositories/d/content/write]",
    ],
  },
  {
    text: `{"resource_changes": [
      {"type": "azurerm_container_registry_scope_map", "change": {"actions": ["delete"], "before": {"name": "ci", "actions": ["repositories/a/content/read"]}, "after": null}},
      {"type": "azurerm_container_registry_token", "change": {"actions": ["update"], "before": {}, "after": {"name": "t", "enabled": false, "scope_map_id": "/registries/contoso/scopeMaps/ci"}}},
      {"type": "azurerm_container_registry_token_password", "change": {"actions": ["create"], "before": null, "after": {"container_registry_token_id": "/registries/contoso/tokens/t", "password1": [{"expiry": "2020-01-01T00:00:00Z"}]}}}
    ]}`,
    found: ["change deletes map ci", "token t contoso ci disabled", "passwords t [password1 until 2020-01-01]"],
  },
  {
    text: `- name: gone
  azure.azcollection.azure_rm_containerregistryscopemap:
    registry_name: contoso
    name: ci
    state: absent`,
    found: ["change at contoso deletes map ci"],
  },
  {
    text: `{"cluster": {"rules": [{"actions": ["update", "delete"], "name": "x"}]}}`,
    found: ["unknown 0: unrecognised JSON or YAML"],
  },
  {
    text: `param registry string = 'contoso'
param extra array = []
var repos = [ 'a', 'b' ]

resource acr 'Microsoft.ContainerRegistry/registries@2023-07-01' existing = {
  name: registry
  resource inner 'scopeMaps' = {
    name: 'inner'
    properties: { actions: [for r in repos: 'repositories/\${r}/content/read'] }
  }
}

resource more 'Microsoft.ContainerRegistry/registries/scopeMaps@2023-07-01' = {
  parent: acr
  name: 'more'
  properties: {
    actions: concat(['repositories/c/content/read'], extra)
  }
}

resource tokens 'Microsoft.ContainerRegistry/registries/tokens@2023-07-01' = [for t in [ 'one', 'two' ]: {
  parent: acr
  name: t
  properties: {
    scopeMapId: t == 'one' ? acr::inner.id : more.id
    status: t == 'one' ? 'disabled' : null
  }
}]
docker push contoso.azurecr.io/a:1`,
    found: [
      "scope map arm inner contoso [repositories/a/content/read repositories/b/content/read]",
      "scope map arm in part more contoso [repositories/c/content/read]",
      "unknown 454: the rules are computed from values that aren't here",
      "token one contoso inner disabled",
      "token two contoso more",
      "docker push contoso.azurecr.io/a:1 at contoso.azurecr.io",
    ],
  },
  {
    text: `var actions = readOnly
  ? [ 'repositories/a/content/read' ]
  : [ 'repositories/a/content/write' ]`,
    found: ["unknown 0: this Bicep file has no scope map or token"],
  },
  {
    text: `resource "azapi_resource" "ci" {
  type      = "Microsoft.ContainerRegistry/registries/tokens@2023-07-01"
  name      = "ci"
  parent_id = "/subscriptions/s/providers/Microsoft.ContainerRegistry/registries/contoso"
  body      = jsonencode({ properties = { scopeMapId = azapi_resource.map.id, status = "disabled" } })
}
resource "azapi_resource" "map" {
  type = "Microsoft.ContainerRegistry/registries/scopeMaps@2023-07-01"
  name = "ci-map"
  body = { properties = { actions = concat(["repositories/a/content/read"], var.more) } }
}`,
    found: [
      "token ci contoso ci-map disabled",
      "scope map terraform in part ci-map [repositories/a/content/read]",
      "unknown 519: the item is an expression, so it can't be read here",
    ],
  },
  {
    text: `resource "azurerm_container_registry_scope_map" "x" {
  actions = ["repositories/a/content/read"`,
    found: ["scope map terraform in part [repositories/a/content/read]", "unknown 96: missing closing brace"],
  },
  {
    text: 'resource "azurerm_resource_group" "x" { name = "rg" }',
    found: ["unknown 0: this Terraform block has no scope map or token"],
  },
  {
    text: `{
  "creationDate": "2026-01-01T00:00:00+00:00",
  "credentials": {
    "passwords": [
      { "creationTime": "2026-01-01T00:00:00+00:00", "expiry": null, "name": "password1", "value": "hunter2" },
      { "creationTime": "2026-01-01T00:00:00+00:00", "expiry": "2026-12-21T23:54:28.230071+00:00", "name": "password2", "value": "hunter2" }
    ],
    "username": "MyToken"
  },
  "id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/contoso/tokens/MyToken",
  "name": "MyToken",
  "scopeMapId": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/contoso/scopeMaps/MyToken-scope-map",
  "status": "enabled",
  "type": "Microsoft.ContainerRegistry/registries/tokens"
}`,
    found: ["token MyToken contoso MyToken-scope-map enabled [password1 password2 until 2026-12-21]"],
  },
  {
    text: '{"passwords": [{"creationTime": "2026-01-01T00:00:00+00:00", "expiry": "2026-12-21T23:54:28.230071+00:00", "name": "password1", "value": "hunter2"}], "username": "MyToken"}',
    found: ["token MyToken [password1 until 2026-12-21]"],
  },
  {
    text: `name: MyToken
scopeMapId: /subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/contoso/scopeMaps/ci
status: disabled
credentials:
  passwords:
  - name: password1
    value: hunter2`,
    found: ["token MyToken contoso ci disabled [password1]"],
  },
  {
    text: `{
  "accessToken": "eyJhbGciOiAibm9uZSIsICJ0eXAiOiAiSldUIn0.eyJqdGkiOiAiciJ9.hunter2",
  "loginServer": "contoso.azurecr.io",
  "refreshToken": "eyJhbGciOiAibm9uZSIsICJ0eXAiOiAiSldUIn0.eyJqdGkiOiAiciJ9.hunter2",
  "username": "00000000-0000-0000-0000-000000000000"
}`,
    found: ["jwt 3 of 3"],
  },
  {
    text: '{"access_token":"eyJhbGciOiAibm9uZSIsICJ0eXAiOiAiSldUIn0.eyJqdGkiOiAiciJ9.hunter2","expires_in":3600}',
    found: ["jwt 3 of 3"],
  },
  {
    text: "eyJhbGciOiAibm9uZSIsICJ0eXAiOiAiSldUIn0.eyJqdGkiOiAiciIsICJzdWIiOiAicyIsICJuYmYiOiAxNzk1MzA0MzU5",
    found: ["jwt 2 of 3"],
  },
  {
    text: "Authorization: Bearer eyJhbGciOiAibm9uZSIsICJ0eXAiOiAiSldUIn0.eyJqdGkiOiAiciJ9.hunter2",
    found: ["jwt 3 of 3"],
  },
  {
    text: `eyJhbGciOiAibm9uZSIsICJ0eXAiOiAiSldUIn0.eyJqdGkiOiAiciIsICJz
dWIiOiAicyIsICJuYmYiOiAxNzk1MzA0MzU5LCAiZXhwIjogMTc5NTMxNjA1
OX0.c2lnbmF0dXJlaHVudGVyMg`,
    found: ["jwt 3 of 3"],
  },
  {
    text: '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required, visit https://aka.ms/acr/authorization for more information.","detail":[{"Type":"repository","Name":"team/app","Action":"pull"},{"Type":"repository","Name":"team/app","Action":"push"}]}]}',
    found: ["unauthorized [repository:team/app:pull,push]"],
  },
  {
    text: '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":null}]}',
    found: ["unauthorized"],
  },
  {
    text: '{"errors":[{"code":"NAME_UNKNOWN","message":"repository \\"x\\" is not found"}]}',
    found: ["error absent"],
  },
  {
    text: '{"errors":[{"code":"DENIED","message":"client with IP \'1.2.3.4\' is not allowed access."}]}',
    found: ["error unreachable"],
  },
  {
    text: `HTTP/1.1 401 Unauthorized
Server: openresty
Content-Type: application/json; charset=utf-8
Docker-Distribution-Api-Version: registry/2.0
Www-Authenticate: Bearer realm="https://contoso.azurecr.io/oauth2/token",service="contoso.azurecr.io",scope="repository:team/app:metadata_read"

{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":[{"Type":"repository","Name":"team/app","Action":"metadata_read"}]}]}`,
    found: ["challenge Bearer repository:team/app:metadata_read", "unauthorized [repository:team/app:metadata_read]"],
  },
  {
    text: `< HTTP/2 401
< server: AzureContainerRegistry
< www-authenticate: Bearer realm="https://contoso.azurecr.io/oauth2/token",service="contoso.azurecr.io"
<`,
    found: ["challenge Bearer"],
  },
  {
    text: 'Bearer realm="https://contoso.azurecr.io/oauth2/token",service="contoso.azurecr.io",scope="repository:a:pull,push",error="insufficient_scope"',
    found: ["challenge Bearer repository:a:pull,push insufficient_scope"],
  },
  {
    text: '   "Www-Authenticate": "Bearer realm=\\"https://contoso.azurecr.io/oauth2/token\\",service=\\"contoso.azurecr.io\\",scope=\\"repository:my/repo:pull,push\\""',
    found: ["challenge Bearer repository:my/repo:pull,push"],
  },
  {
    text: `WWW-Authenticate: Bearer realm="https://contoso.azurecr.io/oauth2/token",
  service="contoso.azurecr.io",
  scope="registry:catalog:*"`,
    found: ["challenge Bearer registry:catalog:*"],
  },
  {
    text: 'WWW-Authenticate: Bearer service="contoso.azurecr.io"',
    found: ["unknown 18: the realm is missing"],
  },
  {
    text: `repository:team/app:pull,push repository:other:pull
registry:catalog:*`,
    found: ["scopes [repository:team/app:pull,push repository:other:pull]", "scopes [registry:catalog:*]"],
  },
  {
    text: 'scope="repository:team/app:pull"',
    found: ["scopes [repository:team/app:pull]"],
  },
  {
    text: "repository:team/app",
    found: ["scopes not repository:team/app"],
  },
  {
    text: "GET /oauth2/token?account=alice&scope=repository%3Ateam%2Fhello%3Apull&scope=repository%3Aother%3Apull&service=lab.registry",
    found: ["scopes [repository:team/hello:pull repository:other:pull]"],
  },
  {
    text: '{"jti":"x","sub":"s","access":[{"type":"repository","name":"team/app","actions":["pull"]}],"exp":1}',
    found: ["scopes [repository:team/app:pull]"],
  },
  {
    text: `# what CI may do
scopeMaps:
  - maps/ci.json
  - name: inline-map
    actions: [repositories/samples/*/content/read]
catalog: root
assertions:
  - allow: repository:samples/nginx:pull
    why: the cluster pulls from here
  - deny: repository:samples/nginx:push`,
    found: ["assertions 2 on 2", "scope map assertions inline-map [repositories/samples/*/content/read]"],
  },
  {
    text: `scopeMaps: [map.json]
assertions:
  - why: nothing is demanded`,
    found: ["unknown 38: not exactly one of `allow` and `deny`"],
  },
  {
    text: '["team/hello", "team/x"]',
    found: ["repositories [team/hello team/x]"],
  },
  {
    text: '{"repositories": ["team/hello", "nginx"]}',
    found: ["repositories [team/hello nginx]"],
  },
  {
    text: `Result
----------
team/hello
nginx`,
    found: ["unknown 0: unknown format", "repositories [team/hello nginx]"],
  },
  {
    text: "nginx",
    found: ["repositories [nginx]"],
  },
  {
    text: "contoso.azurecr.io/team/app:v1",
    found: ["reference contoso.azurecr.io/team/app:v1"],
  },
  {
    text: '        image: "contoso.azurecr.io/team/app@sha256:8c4e9d9a1a0b66813360026df7578283b95a9fcabd20c054d37b5df969d6dcf7"',
    found: ["reference contoso.azurecr.io/team/app@sha256:8c4e"],
  },
  {
    text: '{"name": "a", "actions": ["repositories/a/content/read"], "name": "b"}',
    found: ["unknown 66: duplicate field `name`"],
  },
  {
    text: `name: a
actions: []
actions: []`,
    found: ["unknown 20: duplicate field `actions`"],
  },
  {
    text: '{"actions": ["repositories/a/content/read" "repositories/b/content/read"]}',
    found: ["unknown 43: missing , or : between flow sequence items"],
  },
  {
    text: '{"actions": "repositories/a/content/read"}',
    found: ["unknown 13: not a list"],
  },
  {
    text: "{“name”: “smart”, “actions”: [“repositories/a/content/read”,]}",
    found: ["scope map az smart [repositories/a/content/read]"],
  },
  {
    text: '{"schemaVersion": 2, "config": {"size": 403}}',
    found: ["unknown 0: unrecognised JSON or YAML"],
  },
  {
    text: '{"name": "x", "actions": ["repositories/a/content/re',
    found: ["unknown 0: missing closing bracket"],
  },
  {
    text: `{
  "name": "x",
  "actions": [
    "repositories/a/content/read",
$ docker pull contoso.azurecr.io/a`,
    found: [
      "unknown 0: missing closing bracket",
      "unknown 4: unknown format",
      "scope map lines [repositories/a/content/read]",
      "docker pull contoso.azurecr.io/a at contoso.azurecr.io",
    ],
  },
  {
    text: `Hello, can somebody help me?
I have no idea.`,
    found: ["unknown 0: unknown format"],
  },
  {
    text: "",
    found: [],
  },
];
