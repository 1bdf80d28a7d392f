// An identity provider for the tests: `node oidc-provider.mjs PORT`.
//
// Its clients log in by themselves, with a client's secret, and get access tokens that are JSON web tokens, signed with ES256, for the
// audience that the Azure SDKs ask for. What a client may do is for the server's configuration to say, by the claims of the token.

import { generateKeyPairSync } from "node:crypto";
import { Provider } from "oidc-provider";

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const audience = "https://containerregistry.azure.net";

// The claims of each client's tokens, besides the usual ones.
const claims = {
  reader: { roles: ["registry-reader"] },
  stranger: {},
};

const client = (id) => ({
  client_id: id,
  client_secret: `${id}-secret`,
  grant_types: ["client_credentials"],
  redirect_uris: [],
  response_types: [],
  token_endpoint_auth_method: "client_secret_post",
});

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

const provider = new Provider(issuer, {
  clients: Object.keys(claims).map(client),
  clientDefaults: { id_token_signed_response_alg: "ES256" },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience,
      useGrantedResource: () => true,
      getResourceServerInfo: (_context, resource) => ({
        audience: resource,
        scope: "registry",
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: "ES256" } },
      }),
    },
  },
  scopes: ["registry"],
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), kid: "first", use: "sig", alg: "ES256" }] },
  extraTokenClaims: (_context, token) => claims[token.clientId],
});

provider.on("server_error", (_context, error) => console.error(error));
provider.listen(port, "127.0.0.1");
