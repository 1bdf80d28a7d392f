/** What people paste, as they have it. */

export const PUSH = `$ docker push myregistry.azurecr.io/samples/nginx:v1
The push refers to repository [myregistry.azurecr.io/samples/nginx]
denied: requested access to the resource is denied
`;

/** As \`az acr scope-map show\` prints it. */
export const AZ_MAP = `{
  "actions": [
    "repositories/samples/hello-world/content/read",
    "repositories/samples/hello-world/content/write"
  ],
  "creationDate": "2026-01-01T00:00:00+00:00",
  "description": "Sample scope map",
  "id": "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/myregistry/scopeMaps/MyScopeMap",
  "name": "MyScopeMap",
  "provisioningState": "Succeeded",
  "resourceGroup": "rg",
  "systemData": null,
  "type": "Microsoft.ContainerRegistry/registries/scopeMaps"
}
`;

/** A token with claims of one's own; the signature is this word. */
export const SIGNATURE = "c2lnbmF0dXJlLW9mLW5vYm9keQ".padEnd(86, "A");

export function token(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "ES256", typ: "JWT" })}.${part(claims)}.${SIGNATURE}`;
}

/** What the access token of a registry says. */
export function accessClaims(issuedAt: number, ...access: [name: string, ...actions: string[]][]): object {
  return {
    jti: "00000000-0000-0000-0000-000000000000",
    sub: "MyToken",
    nbf: issuedAt,
    exp: issuedAt + 3600,
    iat: issuedAt,
    iss: "Azure Container Registry",
    aud: "myregistry.azurecr.io",
    version: "1.0",
    access: access.map(([name, ...actions]) => ({ type: "repository", name, actions })),
    grant_type: "access_token",
  };
}
