// A real OpenID provider for one test: oidc-provider on loopback, with one client for itself, one
// that holds a refresh token, and one with which people sign in, in a browser or with a device code.
//
// PORT: where to listen. JWK: the private key to sign with, in place of a new one. LIFETIME: how
// many seconds its tokens are valid. ROTATE: `yes` to replace refresh tokens. RETURN: where people
// are sent back. The pages for people take any name with any password; a name is a person's id. The
// first line of the output is a refresh token of the client `dev`, as the provider itself makes
// them after a login with the scope offline_access; it is printed when the provider listens.

import { generateKeyPairSync } from 'node:crypto';

import Provider from 'oidc-provider';

const issuer = `http://127.0.0.1:${process.env.PORT}`;
const audience = 'https://containerregistry.azure.net';
const jwk = process.env.JWK ? JSON.parse(process.env.JWK) : newKey();
const lifetime = Number(process.env.LIFETIME ?? 600);

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'svc',
      client_secret: 'svc-secret',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
    {
      // Its tokens end at once.
      client_id: 'stale',
      client_secret: 'stale-secret',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
    {
      client_id: 'dev',
      client_secret: 'dev/secret: with + and %',
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      redirect_uris: [process.env.RETURN ?? 'http://127.0.0.1/callback'],
      response_types: ['code'],
    },
    {
      client_id: 'people',
      client_secret: 'secret of people',
      grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
      redirect_uris: [process.env.RETURN ?? 'http://127.0.0.1/return'],
      response_types: ['code'],
    },
  ],
  // An ID token has the claims of its scopes, beside an access token too.
  conformIdTokenClaims: false,
  claims: { openid: ['sub'], profile: ['name', 'preferred_username'] },
  clientDefaults: { id_token_signed_response_alg: jwk.alg },
  jwks: { keys: [jwk] },
  scopes: ['openid', 'offline_access', 'profile', 'registry'],
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    devInteractions: { enabled: true },
    // Without a resource, access tokens are opaque.
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'registry',
        audience,
        accessTokenFormat: 'jwt',
        accessTokenTTL: lifetime,
        jwt: { sign: { alg: jwk.alg } },
      }),
    },
  },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, name: `Person ${id}`, preferred_username: `${id}@people.test` }),
  }),
  extraTokenClaims: (_context, token) => ({
    tid: 'tenant-1',
    appid: token.clientId,
    team: 'core',
    realm_access: { roles: ['builder', 'reader'] },
  }),
  cookies: { keys: ['of-one-test'] },
  // Whether a refresh token is replaced when it is redeemed.
  rotateRefreshToken: process.env.ROTATE === 'yes',
  ttl: {
    AccessToken: lifetime,
    ClientCredentials: (_context, _token, client) => (client.clientId === 'stale' ? 1 : lifetime),
    Grant: 600,
    IdToken: 600,
    RefreshToken: 600,
  },
});

function newKey() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), kid: 'first', alg: 'ES256', use: 'sig' };
}

// What a login would leave behind.
async function refreshToken() {
  const client = await provider.Client.find('dev');
  const accountId = 'octo';
  const grant = new provider.Grant({ accountId, clientId: client.clientId });
  grant.addOIDCScope('openid offline_access');
  grant.addResourceScope(audience, 'registry');
  const grantId = await grant.save();
  const token = new provider.RefreshToken({
    accountId,
    client,
    grantId,
    gty: 'authorization_code',
    resource: audience,
    scope: 'openid offline_access registry',
  });
  return token.save();
}

provider.on('server_error', (_context, error) => console.error(error));
provider.listen(Number(process.env.PORT), '127.0.0.1', async () => console.log(await refreshToken()));
