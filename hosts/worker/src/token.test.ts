import { generateKeyPairSync, sign } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Engine } from "./engine.ts";
import { Keys } from "./keys.ts";
import { Tokens } from "./token.ts";

const NOW = 1_000_000;
const ENGINE = new Engine(new WebAssembly.Module(readFileSync("../../target/engine/worker.wasm")));
const CORPUS = "../../tests/cases/accept/";
const EC = generateKeyPairSync("ec", { namedCurve: "P-256" });
const RSA = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ED = generateKeyPairSync("ed25519");
const SET = {
  keys: [
    { ...EC.publicKey.export({ format: "jwk" }), kid: "ES256" },
    { ...RSA.publicKey.export({ format: "jwk" }), kid: "RS256" },
    { ...ED.publicKey.export({ format: "jwk" }), kid: "EdDSA" },
  ],
};
const ACCESS = [{ type: "repository", name: "app", actions: ["pull", "push"] }];
const CLAIMS = {
  ...{ jti: "j", sub: "t", iss: "i", aud: "r", version: "1.0", rid: "0", roles: [], grant_type: "access_token" },
  ...{ nbf: NOW, iat: NOW, exp: NOW + 300, access: ACCESS },
};

const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

function token(claims: object = {}, header: object = {}, kid: "ES256" | "RS256" | "EdDSA" = "ES256"): string {
  return signed(`${base64({ alg: kid, kid, ...header })}.${base64({ ...CLAIMS, ...claims })}`, kid);
}

function signed(text: string, kid: "ES256" | "RS256" | "EdDSA" = "ES256"): string {
  const { privateKey } = { ES256: EC, RS256: RSA, EdDSA: ED }[kid];
  const hash = kid === "EdDSA" ? null : "sha256";
  return `${text}.${sign(hash, Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

function verifier(now = NOW) {
  const clock = { now: now * 1000, fetched: 0 };
  const server = {
    fetch: async () => {
      clock.fetched += 1;
      return Response.json(SET);
    },
  };
  const keys = new Keys("http://tokens/jwks", server, ENGINE, () => clock.now);
  return { clock, tokens: new Tokens(keys, ENGINE, { issuer: "i", service: "r" }, () => clock.now) };
}

test("a token of each algorithm", async () => {
  for (const kid of ["ES256", "RS256", "EdDSA"] as const) {
    expect((await verifier().tokens.verify(token({}, {}, kid)))?.access).toBe("repository:app:pull,push\n");
  }
});

test("an entry that would be read as another grants nothing", async () => {
  for (const [entry, access] of [
    [
      { type: "repository", name: "a", actions: ["fly,push", "pull", "x:y", "metadata_read", "*"] },
      "repository:a:pull,metadata_read,*\n",
    ],
    [{ type: "repository:a", name: "b", actions: ["pull"] }, ""],
    [{ type: "repository", name: "a\nrepository:b", actions: ["pull"] }, ""],
    [{ Type: "repository", Name: "a", Actions: ["pull"] }, undefined],
  ] as const) {
    expect((await verifier().tokens.verify(token({ access: [entry] })))?.access).toBe(access);
  }
});

/** The last letter of a signature has four bits that mean nothing. */
function otherBits(token: string): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return token.slice(0, -1) + letters[letters.indexOf(token.at(-1) ?? "") + 1];
}

test("tokens that are no good", async () => {
  for (const bad of [
    token({ grant_type: "refresh_token" }),
    token({ iss: "other" }),
    token({ aud: ["r"] }),
    token({ nbf: NOW + 61 }),
    token({ exp: NOW - 60 }),
    token({ exp: NOW + 10_801 }),
    token({ access: undefined }),
    token({ jti: undefined }),
    token({}, { kid: "RS256", alg: "ES256" }),
    token({}, { alg: "none" }),
    token({}, { alg: "HS256" }),
    token({}, { kid: "unknown", jwk: SET.keys[0] }),
    `${token()}x.y`,
    otherBits(token()),
    token().replace(/\.[^.]+$/, "."),
    token().replace(/\.[^.]+\./, `.${base64({ ...CLAIMS, sub: "u" })}.`),
    "",
  ]) {
    expect(await verifier().tokens.verify(bad), bad).toBeUndefined();
  }
});

test("a token that is kept does not outlive itself", async () => {
  const { clock, tokens } = verifier();
  const text = token();
  expect(await tokens.verify(text)).toBe(await tokens.verify(text));
  clock.now = (NOW + 359) * 1000;
  expect(await tokens.verify(text)).toBeDefined();
  clock.now = (NOW + 360) * 1000;
  expect(await tokens.verify(text)).toBeUndefined();
});

test("an unknown key has the set fetched at a bounded rate", async () => {
  const { clock, tokens } = verifier();
  for (let index = 0; index < 9; index++) await tokens.verify(token({}, { kid: `k${index}` }));
  expect(clock.fetched).toBe(1);
  clock.now += 999;
  await tokens.verify(token({}, { kid: "k" }));
  expect(clock.fetched).toBe(1);
  clock.now += 1;
  await tokens.verify(token({}, { kid: "k" }));
  expect(clock.fetched).toBe(2);
});

test("tokens of a new key that come together are all good, and a flood of them is bounded", async () => {
  let published: object[] = [];
  let fetched = 0;
  let now = NOW;
  const server = {
    fetch: async () => {
      const answer = Response.json({ keys: published });
      fetched += 1;
      await new Promise((resolve) => setTimeout(resolve, 1));
      return answer;
    },
  };
  const keys = new Keys("http://tokens/jwks", server, ENGINE, () => now);
  await keys.find("ES256");
  published = SET.keys;
  now += 1000;
  const found = await Promise.all(Array.from({ length: 8 }, () => keys.find("ES256")));
  expect(found.every((key) => key !== undefined)).toBe(true);
  expect(fetched).toBe(9);
  now += 1000;
  await Promise.all(Array.from({ length: 50 }, (_, index) => keys.find(`k${index}`)));
  expect(fetched).toBe(17);
});

test("a set that cannot be read leaves the last one, and one without keys takes them away", async () => {
  let text = JSON.stringify(SET);
  let now = NOW;
  const keys = new Keys("http://tokens/jwks", { fetch: async () => new Response(text) }, ENGINE, () => now);
  const has = async (answer: string) => {
    text = answer;
    now += 301_000;
    return (await keys.find("ES256")) !== undefined;
  };
  expect(await has(text)).toBe(true);
  for (const unreadable of ["", "<html>", "{}", '{"keys":[],"keys":[]}', `\ufeff${JSON.stringify(SET)}`]) {
    expect(await has(unreadable), unreadable).toBe(true);
  }
  expect(await has('{"keys":[]}')).toBe(false);
});

test("two keys of one id are none, nor are a hundred and one", async () => {
  for (const keys of [[SET.keys[0], { ...SET.keys[1], kid: "ES256" }], Array(101).fill(SET.keys[0])]) {
    const set = new Keys("http://tokens/jwks", { fetch: async () => Response.json({ keys }) }, ENGINE, () => NOW);
    expect(await set.find("ES256")).toBeUndefined();
  }
});

test("a header that two readers could read in two ways is refused", async () => {
  for (const header of ['{"alg":"none","alg":"ES256","kid":"ES256"}', '{"alg":"ES256","kid":"x","kid":"ES256"}']) {
    const text = `${Buffer.from(header).toString("base64url")}.${base64(CLAIMS)}`;
    expect(await verifier().tokens.verify(signed(text)), header).toBeUndefined();
  }
});

test("weak and misspelt keys are left out, and the others verify", async () => {
  const [ec, rsa] = SET.keys;
  const short = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey.export({ format: "jwk" });
  const padded = Buffer.concat([Buffer.alloc(128), Buffer.from(short.n ?? "", "base64url")]).toString("base64url");
  for (const weak of [
    { ...short, kid: "w" },
    { ...short, n: padded, kid: "w" },
    { ...rsa, e: "AQ", kid: "w" },
    null,
    7,
  ]) {
    const keys = [ec, weak];
    const set = new Keys("http://tokens/jwks", { fetch: async () => Response.json({ keys }) }, ENGINE, () => NOW);
    expect(await set.find("w"), JSON.stringify(weak)).toBeUndefined();
    expect(await set.find("ES256"), JSON.stringify(weak)).toBeDefined();
  }
  const misspelt = { ...ec, x: `${ec?.x}=`, kid: "w" };
  const server = { fetch: async () => Response.json({ keys: [misspelt] }) };
  const set = new Keys("http://tokens/jwks", server, ENGINE, () => NOW);
  expect(await set.find("w")).toBeUndefined();
});

/** As every host answers it. */
for (const name of readdirSync(CORPUS)) {
  test(`the corpus: ${name}`, () => {
    const file = JSON.parse(readFileSync(CORPUS + name, "utf8"));
    for (const { why, change = [], accepted, refused, until, ...own } of file.cases) {
      const { issuer, service, now } = { ...file, ...own };
      const replace = (text: string, [from, to]: [string, string]) => text.replace(from, () => to);
      const payload = new TextEncoder().encode(change.reduce(replace, file.payload));
      const answer = ENGINE.acceptClaims(payload, issuer, service, now);
      const access = (accepted ?? []).map((entry: string) => `${entry}\n`).join("");
      expect(answer, why).toEqual(
        accepted ? { kind: "accepted", until, access } : { kind: "refused", reason: refused },
      );
    }
  });
}

/** As every host takes them apart. */
for (const name of readdirSync("../../tests/cases/jws/")) {
  test(`the corpus of tokens: ${name}`, () => {
    const file = JSON.parse(readFileSync(`../../tests/cases/jws/${name}`, "utf8"));
    for (const { why, token, refused, algorithm, kid, payload, signature } of file.cases) {
      const message = token.slice(0, token.lastIndexOf("."));
      const parts = {
        ...{ algorithm, kid, message },
        payload: new TextEncoder().encode(payload),
        signature: new Uint8Array(Buffer.from(signature ?? "", "base64url")),
      };
      expect(ENGINE.signedParts(token), why).toEqual(refused ? undefined : parts);
    }
  });
}

/** As every host chooses them. */
for (const name of readdirSync("../../tests/cases/keys/")) {
  test(`the corpus of keys: ${name}`, () => {
    const file = JSON.parse(readFileSync(`../../tests/cases/keys/${name}`, "utf8"));
    for (const { why, set, keys, refused } of file.cases) {
      const chosen = ENGINE.verifyingKeys(new TextEncoder().encode(set));
      const none = refused === "unreadable_keys" ? { kind: "unreadable" } : { kind: "none", reason: refused };
      expect(chosen, why).toEqual(keys ? { kind: "keys", keys } : none);
    }
  });
}
