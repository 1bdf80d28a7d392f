import { generateKeyPairSync, sign } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

import { acceptTimes, Principal } from "../engine";
import { decodeToken, validity, withoutSignature } from "./index";
import { type Algorithm, issue } from "./issue";
import { tokenTimes } from "./local-time";
import { tokenSize } from "./size";
import { refreshGrant, registryAnswer, tokenEndpoint } from "./token-state";
import { written } from "./written";

const NOW = 1_800_000_000;
const header = { alg: "ES256", kid: "K", typ: "JWT" };

function encode(value: unknown): string {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
}

function token(claims: unknown): string {
  return `${encode(header)}.${encode(claims)}.c2lnbmF0dXJl`;
}

test.each([
  [{ grant_type: "access_token", access: [] }, "access"],
  [{ access: [{ type: "repository", name: "a", actions: ["pull"] }] }, "access"],
  [{ grant_type: "refresh_token" }, "refresh"],
  [{ iss: "https://login.example" }, "other"],
])("%j is of the kind %s", (claims, kind) => {
  const decoded = decodeToken(token(claims));
  expect(decoded).toMatchObject({ kind, header, claims, hasSignature: true, problems: [] });
});

test("what is around a token is not part of it", () => {
  const encoded = token({ exp: 1 });
  for (const text of [` ${encoded}\n`, `Bearer ${encoded}`, `Authorization: Bearer ${encoded}`]) {
    expect(decodeToken(text)).toMatchObject({ claims: { exp: 1 }, size: encoded.length, problems: [] });
  }
});

test("a signature is not kept", () => {
  const [kept = "", claims = ""] = token({ exp: 1 }).split(".");
  expect(withoutSignature(`Bearer ${token({ exp: 1 })}`)).toBe(`${kept}.${claims}.`);
  expect(withoutSignature("a-password")).toBe("");
  expect(JSON.stringify(decodeToken(token({ exp: 1 })))).not.toContain("c2lnbmF0dXJl");
});

const start = encode(header).length + 1;
const claims = encode({ sub: "somebody" });

/** A text, the problems with it and where they are. */
test.each([
  ["", ["the token is missing @0"]],
  [encode(header), [`the token is cut off in the header @${start - 1}`]],
  [`${encode(header)}.${claims}`, [`the token is cut off before the signature @${start + claims.length}`]],
  [`${encode(header)}.${claims}.`, [`the signature is missing or incomplete @${start + claims.length + 1}`]],
  [`${encode(header)}.${claims}.s.x`, [`expected 3 parts, found 4 @${start + claims.length + 2}`]],
  [`${encode(header)}.a+b.s`, [`\`+\` in the claims isn't allowed in base64url @${start + 1}`]],
  [`${encode(header)}.${claims.slice(0, 9)}.s`, [`the claims are cut off @${start + 9}`]],
  [`${encode("[1]")}.${claims}.s`, ["the header isn't a JSON object @0"]],
  [
    `${encode(header)}.${encode('{"sub":"a","sub":"b"}')}.s`,
    [`duplicate field \`sub\` in the claims @${encode(header).length + 1}`],
  ],
  [`${encode('{"alg":"none","alg":"ES256"}')}.${claims}.s`, ["duplicate field `alg` in the header @0"]],
  [
    `${encode(header)}.${encode('{"access":[{"actions":["pull"],"actions":["push"]}]}')}.s`,
    [`duplicate field \`actions\` in the claims @${encode(header).length + 1}`],
  ],
])("%j is no whole token", (text, expected) => {
  const { problems } = decodeToken(text);
  expect(problems.map(({ message, position }) => `${message} @${position}`)).toEqual(expected);
});

test("what could be read is shown", () => {
  expect(decodeToken(`${encode(header)}.${claims.slice(0, 9)}`)).toMatchObject({
    header,
    claims: null,
    claimsText: '{"sub"',
  });
  expect(decodeToken(`${encode(header)}.${claims}`)).toMatchObject({
    claims: { sub: "somebody" },
    hasSignature: false,
  });
});

/**
 * The times of a token, and whether a registry takes it, with the minute that clocks may be apart.
 */
test.each([
  [{ nbf: NOW, exp: NOW + 3600 }, "valid", "expires in 1 hour", true],
  [{ nbf: NOW - 180, exp: NOW + 3420 }, "valid", "expires in 57 minutes", true],
  [{ exp: NOW + 1 }, "valid", "expires in 1 second", true],
  [{ exp: NOW }, "expired", "expired just now", true],
  [{ exp: NOW - 59 }, "expired", "expired 59 seconds ago", true],
  [{ exp: NOW - 60 }, "expired", "expired 1 minute ago", false],
  [{ exp: NOW - 180 }, "expired", "expired 3 minutes ago", false],
  [{ exp: NOW - 200_000 }, "expired", "expired 2 days ago", false],
  [{ nbf: NOW + 60, exp: NOW + 3600 }, "not-yet", "not valid yet: starts in 1 minute (2027-01-15 08:01:00 UTC)", true],
  [{ nbf: NOW + 61, exp: NOW + 3600 }, "not-yet", "not valid yet: starts in 1 minute (2027-01-15 08:01:01 UTC)", false],
  [
    { nbf: 1e300, exp: NOW },
    "not-yet",
    `not valid yet: starts in ${Math.floor((1e300 - NOW) / 86_400)} days (second 1e+300)`,
    false,
  ],
  [{ exp: "soon" }, "unknown", "no expiry (`exp`) in the token", false],
  [{ nbf: NOW, exp: NOW + 10_800 }, "valid", "expires in 3 hours", true],
  [{ nbf: NOW, exp: NOW + 86_400 }, "unknown", "registries don't accept a lifetime of 1 day", false],
])("%j is %s", (claims, kind, text, isAccepted) => {
  expect(validity(claims, NOW)).toEqual({ kind, text, isAccepted });
});

test.each([
  [1000, null],
  [6121, "the Authorization header would be 6.0 KiB; many proxies allow only 8 KiB"],
  [8168, "the Authorization header would be 8.0 KiB; many proxies allow only 8 KiB"],
  [9400, "the Authorization header would be 9.2 KiB; many proxies allow only 8 KiB. Request fewer scopes"],
])("a token of %d bytes", (bytes, warning) => {
  expect(tokenSize(bytes).warning).toBe(warning);
});

const request = {
  scopes: "repository:team/app:pull,push,metadata_read repository:other:pull",
  name: "MyToken",
  issuer: "issuer",
  service: "reg.example",
  registryId: "0123456789abcdef0123456789abcdef",
  id: "2d3b4c5a-6f14-44d1-846a-28b96bd0bcc0",
  issuedAt: NOW,
  generation: 7,
  algorithm: "ES256",
} as const;

function issued(changes: Partial<Parameters<typeof issue>[1]> = {}) {
  const principal = new Principal("root");
  principal.add(
    "map",
    ["content/read", "metadata/read"].map((each) => `repositories/team/*/${each}`),
  );
  return issue(principal, { ...request, ...changes });
}

test("the token that would be issued", () => {
  expect(issued().claims).toEqual({
    jti: request.id,
    sub: "MyToken",
    nbf: NOW,
    exp: NOW + 3600,
    iat: NOW,
    iss: "issuer",
    aud: "reg.example",
    version: "2.0",
    rid: request.registryId,
    access: [{ type: "repository", name: "team/app", actions: ["pull", "metadata_read"] }],
    roles: [],
    grant_type: "access_token",
    principal: "token",
    generation: 7,
  });
  expect(issued().header).toMatchObject({ alg: "ES256", typ: "JWT" });
});

test.each(["ES256", "RS256", "EdDSA"] as const)("its size is that of one signed with %s", (algorithm: Algorithm) => {
  const { header, claims, size } = issued({ algorithm });
  const message = `${encode(header)}.${encode(claims)}`;
  const keys = {
    ES256: () =>
      sign("sha256", Buffer.from(message), {
        key: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
        dsaEncoding: "ieee-p1363",
      }),
    RS256: () => sign("sha256", Buffer.from(message), generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey),
    EdDSA: () => sign(null, Buffer.from(message), generateKeyPairSync("ed25519").privateKey),
  };
  expect(size.bytes).toBe(`${message}.${keys[algorithm]().toString("base64url")}`.length);
});

test("a name that is not ASCII is written in escapes", () => {
  expect(issued({ issuer: "?" }).size.bytes - issued({ issuer: "x" }).size.bytes).toBe(Math.round((5 * 4) / 3));
});

test.each([
  [true, "valid", "issued", "issued"],
  [false, "valid", "token disabled", "token deleted or disabled"],
  [true, "expired", "wrong or expired password", "issued"],
  [true, "regenerated", "wrong or expired password", "issued before the token was changed"],
] as const)("enabled %s, password %s", (isEnabled, password, asked, renewed) => {
  const said = (answer: ReturnType<typeof tokenEndpoint>) => (answer.kind === "refused" ? answer.reason : answer.kind);
  expect(said(tokenEndpoint({ isEnabled, password }))).toBe(asked);
  expect(said(refreshGrant({ isEnabled, password }, 0))).toBe(renewed);
});

test.each([
  [-61, "refresh token not valid yet"],
  [-60, "issued"],
  [3 * 3600 + 59, "issued"],
  [3 * 3600 + 60, "refresh token expired"],
])("a refresh token after %d seconds", (age, expected) => {
  const answer = refreshGrant({ isEnabled: true, password: "valid" }, age);
  expect(answer.kind === "refused" ? answer.reason : answer.kind).toBe(expected);
});

test("the answer does not say what is wrong", () => {
  const answers = [
    tokenEndpoint({ isEnabled: false, password: "valid" }),
    tokenEndpoint({ isEnabled: true, password: "expired" }),
  ];
  const shown = answers.map((answer) => (answer.kind === "refused" ? [answer.status, answer.header, answer.body] : []));
  expect(shown[0]).toEqual(shown[1]);
  expect(shown[0]?.[2]).toBe(
    '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":null}]}\n',
  );
});

/** A map, what is requested, and the claim `untag`: where tags may be removed. */
test.each([
  [["metadata/write"], "repository:team/app:delete", ["team/app"]],
  [["metadata/write", "content/delete"], "repository:team/app:pull,delete", ["team/app"]],
  [["content/delete"], "repository:team/app:delete", undefined],
  [["metadata/write"], "repository:team/app:pull,metadata_write", undefined],
  [["metadata/write"], "registry:catalog:* repository:other:delete", undefined],
])("with %j the request %j", (permissions, scopes, untag) => {
  const principal = new Principal();
  principal.add(
    "",
    permissions.map((permission) => `repositories/team/app/${permission}`),
  );
  const { claims, size } = issue(principal, { ...request, scopes });
  principal.free();
  expect(claims.untag).toEqual(untag);
  expect(Object.keys(claims).at(-1) === "untag").toBe(untag !== undefined);
  expect(size.bytes).toBeGreaterThan(JSON.stringify(claims).length);
});

test("a registry takes a token to its end, and a minute longer", () => {
  const scopes = ["repository:team/app:pull"];
  const { claims } = issued();
  const answer = (now: number) => registryAnswer({ ...claims }, now, "https://reg.example/oauth2/token", scopes);
  expect(answer(NOW + 3659).kind).toBe("accepted");
  expect(answer(NOW + 3660)).toMatchObject({
    kind: "refused",
    header:
      'Bearer realm="https://reg.example/oauth2/token",service="reg.example",scope="repository:team/app:pull",error="invalid_token"',
  });
});

/** Claims, a time zone, and how their times are read there. */
test.each([
  [
    { exp: NOW + 3600, iat: NOW, nbf: NOW },
    "UTC",
    ["iat Jan 15, 2027, 08:00:00 UTC", "nbf", "exp Jan 15, 2027, 09:00"],
  ],
  [{ iat: NOW }, "Europe/Berlin", ["iat Jan 15, 2027, 09:00:00 GMT+1"]],
  [{ exp: 0 }, "America/New_York", ["exp Dec 31, 1969, 19:00:00 EST"]],
  [{ exp: 1800057599 }, "UTC", ["exp Jan 15, 2027, 23:59:59 UTC"]],
  [{ exp: 1800057600 }, "UTC", ["exp Jan 16, 2027, 00:00:00 UTC"]],
  [{ exp: 1e300, iat: "now", nbf: null }, "UTC", []],
])("%j in %s", (claims, timeZone, expected) => {
  const shown = tokenTimes(claims, timeZone).map(({ claim, text }) => `${claim} ${text}`);
  expect(shown).toEqual(expected.map((start) => expect.stringMatching(new RegExp(`^${start.replace("+", "\\+")}`))));
});

test.each([
  [{}, "{}"],
  [{ exp: 1, access: [] }, '{\n  "exp": 1,\n  "access": []\n}'],
  [
    { access: [{ name: "a\n b", actions: ["pull"] }, null], sub: undefined },
    '{\n  "access": [\n    { "name": "a\\n b", "actions": [ "pull" ] },\n    null\n  ]\n}',
  ],
  [{ cnf: { kid: [1] } }, '{\n  "cnf": {\n    "kid": [\n      1\n    ]\n  }\n}'],
])("%j is written with its entries on a line each", (part, expected) => {
  expect(written(part)).toBe(expected);
  expect(JSON.parse(written(part))).toEqual(JSON.parse(JSON.stringify(part)));
});

const CORPUS = "../tests/cases/accept/";
/** What the times of a token decide; the other claims are the module's to judge. */
const BY_TIMES = ["accepted", "expired", "not_yet_valid", "lifetime_too_long"];
test.each(readdirSync(CORPUS))("the times in the corpus: %s", (name) => {
  const file = JSON.parse(readFileSync(CORPUS + name, "utf8"));
  for (const { why, change = [], refused = "accepted", ...own } of file.cases) {
    if (!BY_TIMES.includes(refused)) continue;
    const { now } = { ...file, ...own };
    const replace = (text: string, [from, to]: [string, string]) => text.replace(from, () => to);
    const { nbf, exp } = JSON.parse(change.reduce(replace, file.payload));
    expect(acceptTimes(nbf, exp, now), why).toBe(refused);
  }
});
