import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Engine } from "./engine.ts";
import { Revocations } from "./revocations.ts";
import type { Token } from "./token.ts";

const ENGINE = new Engine(new WebAssembly.Module(readFileSync("../../target/engine/worker.wasm")));

/** A token with these claims beside the ones that every token has. */
function token(own: object): Token {
  const claims = {
    ...{ jti: "j", sub: "t", nbf: 1, iat: 1, exp: 2, iss: "i", aud: "r", version: "1.0", rid: "0" },
    ...{ access: [], roles: [], grant_type: "access_token", ...own },
  };
  return { payload: new TextEncoder().encode(JSON.stringify(claims)) } as unknown as Token;
}

test("identities are told apart by their provider", async () => {
  const changed = [
    { principal: "identity", provider: "gone", sub: null, generation: 9 },
    { principal: "identity", provider: "ci", sub: "octo", generation: 7 },
  ];
  let asked: Headers | undefined;
  const server = {
    fetch: async (_: unknown, init?: RequestInit) => {
      asked = new Headers(init?.headers);
      return Response.json({ version: 2, revision: 9, isEverything: true, changed });
    },
  };
  const feed = { url: "http://tokens/generations", authorization: "Basic x", maxAge: 30_000 };
  const revocations = new Revocations(feed, server, ENGINE, () => 0);
  for (const [provider, sub, generation, isRevoked] of [
    ["ci", "Octo", 6, true],
    ["ci", "Octo", 7, false],
    ["ci", "other", 0, false],
    ["gone", "other", 8, true],
    [undefined, "other", 100, true],
  ] as const) {
    expect(await revocations.revoked(token({ principal: "identity", provider, sub, generation }), () => {})).toBe(
      isRevoked,
    );
  }
  expect(asked?.get("accept")).toBe("application/vnd.scopegate.generations.v2+json");
});

test("a newer generation revokes, and silence does after a while", async () => {
  let now = 0;
  let changed: object[] = [];
  let isUp = true;
  const server = {
    fetch: async () => Response.json({ revision: 1, isEverything: true, changed }, { status: isUp ? 200 : 500 }),
  };
  const feed = { url: "http://tokens/generations", authorization: "Basic x", maxAge: 30_000 };
  const revocations = new Revocations(feed, server, ENGINE, () => now);
  const claims = { principal: "token", sub: "MyToken", generation: 3 };
  const behind: Promise<void>[] = [];
  const kept = token(claims);
  const ask = () => revocations.revoked(kept, (work) => behind.push(work));

  expect(await ask()).toBe(false);
  for (const unclear of [
    { ...claims, principal: undefined },
    { ...claims, generation: undefined },
  ]) {
    expect(await revocations.revoked(token(unclear), (work) => behind.push(work))).toBe(true);
  }
  changed = [{ principal: "token", sub: "mytoken", generation: 4 }];
  now = 1500;
  expect(await ask()).toBe(false);
  await Promise.all(behind);
  expect(await ask()).toBe(true);
  changed = [{ principal: "token", sub: null, generation: 3 }];
  now = 10_000;
  expect(await ask()).toBe(false);
  isUp = false;
  now = 40_000;
  expect(await ask()).toBe(false);
  for (const late of [40_001, -20_001]) {
    now = late;
    await expect(ask()).rejects.toThrow();
  }
  // The clock stays behind, and what is heard now counts.
  isUp = true;
  expect(await ask()).toBe(false);
  changed = [{ principal: "token", sub: null, generation: 4 }];
  now -= 500;
  expect(await ask()).toBe(false);
  now -= 2000;
  expect(await ask()).toBe(true);
});

test("the Kelvin sign is no k", async () => {
  const changed = [{ principal: "token", sub: "kelvin", generation: 4 }];
  const server = {
    fetch: async () => Response.json({ version: 2, epoch: "a", revision: 1, isEverything: true, changed }),
  };
  const feed = { url: "http://tokens/generations", authorization: "Basic x", maxAge: 30_000 };
  const revocations = new Revocations(feed, server, ENGINE, () => 0);
  const revoked = (sub: string) =>
    revocations.revoked(token({ principal: "token", sub, generation: 3, epoch: "a" }), () => undefined);
  expect(await revoked("KELVIN")).toBe(true);
  expect(await revoked("\u212Aelvin")).toBe(false);
});

test("a database that was put back is another epoch", async () => {
  let now = 0;
  let answer = {};
  const server = { fetch: async () => Response.json({ version: 2, changed: [], isEverything: true, ...answer }) };
  const feed = { url: "http://tokens/generations", authorization: "Basic x", maxAge: 30_000 };
  const revocations = new Revocations(feed, server, ENGINE, () => now);
  const hear = async (heard: object, epoch?: string) => {
    answer = heard;
    now += 5000;
    return await revocations.revoked(token({ principal: "token", sub: "reader", generation: 100, epoch }), () => {});
  };

  expect(await hear({ epoch: "a", revision: 15 }, "a")).toBe(false);
  expect(await hear({ epoch: "a", revision: 15 }, "b")).toBe(true);
  expect(await hear({ epoch: "a", revision: 15 }, undefined)).toBe(true);
  // A lower revision of an epoch that was never held is taken, and what was left is not taken
  // again: what is held goes on until it is too old.
  expect(await hear({ epoch: "b", revision: 3 }, "b")).toBe(false);
  expect(await hear({ epoch: "b", revision: 3 }, "a")).toBe(true);
  expect(await hear({ epoch: "a", revision: 99 }, "b")).toBe(false);
  expect(await hear({ epoch: "b", revision: 2 }, "b")).toBe(false);
  now += 30_000;
  await expect(hear({ epoch: "a", revision: 99 }, "b")).rejects.toThrow();
  expect(await hear({ epoch: "b", revision: 4 }, "b")).toBe(false);
});

test("answers that overtake each other do not take a revocation back", async () => {
  let now = 0;
  const answers: ((response: Response) => void)[] = [];
  const server = { fetch: () => new Promise<Response>((resolve) => answers.push(resolve)) };
  const feed = { url: "http://tokens/generations", authorization: "Basic x", maxAge: 30_000 };
  const revocations = new Revocations(feed, server, ENGINE, () => now);
  const kept = token({ principal: "token", sub: "reader", generation: 3 });
  const ask = () => revocations.revoked(kept, () => {});
  const answer = (revision: number, changed: object[]) => Response.json({ revision, isEverything: true, changed });
  const first = ask();
  now += 1;
  const second = ask();
  answers[1]?.(answer(2, [{ principal: "token", sub: "reader", generation: 4 }]));
  expect(await second).toBe(true);
  answers[0]?.(answer(1, []));
  expect(await first).toBe(true);
  expect(await ask()).toBe(true);
});

/** As every host takes them. */
for (const name of readdirSync("../../tests/cases/revocation/")) {
  test(`the corpus of revocations: ${name}`, () => {
    const file = JSON.parse(readFileSync(`../../tests/cases/revocation/${name}`, "utf8"));
    for (const { why, steps } of file.cases) {
      const known = ENGINE.newRevocations();
      for (const { feed, outcome, revision, revoked = [], good = [] } of steps) {
        const ingested = ENGINE.ingest(known, new TextEncoder().encode(feed));
        expect([ingested, known.revision], `${why} ${feed}`).toEqual([outcome, revision]);
        for (const claims of revoked) {
          expect(ENGINE.isRevoked(known, token(claims).payload), `${why} ${JSON.stringify(claims)}`).toBe(true);
        }
        for (const claims of good) {
          expect(ENGINE.isRevoked(known, token(claims).payload), `${why} ${JSON.stringify(claims)}`).toBe(false);
        }
      }
    }
  });
}

test("sixty requests at once are few reads of the list", async () => {
  let reads = 0;
  const server = {
    fetch: async () => {
      reads += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return Response.json({ version: 2, epoch: "e", revision: 1, isEverything: true, changed: [] });
    },
  };
  const feed = { url: "http://tokens/generations", authorization: "Basic x", maxAge: 30_000 };
  const revocations = new Revocations(feed, server, ENGINE, () => 0);
  const kept = token({ principal: "token", sub: "MyToken", generation: 3, epoch: "e" });
  const all = Array.from({ length: 60 }, () => revocations.revoked(kept, () => {}));
  expect(await Promise.all(all)).toEqual(Array.from({ length: 60 }, () => false));
  expect(reads).toBe(2);
});

test("an epoch that is left lets go of the keys", async () => {
  let now = 0;
  let renewed = 0;
  let answer = {};
  const server = { fetch: async () => Response.json({ version: 2, changed: [], isEverything: true, ...answer }) };
  const feed = { url: "http://tokens/generations", authorization: "Basic x", maxAge: 30_000 };
  const count = () => renewed++;
  const revocations = new Revocations(feed, server, ENGINE, () => now, count);
  for (const [epoch, revision, expected] of [
    ["a", 1, 0],
    ["a", 2, 0],
    ["b", 3, 1],
    ["b", 4, 1],
    ["a", 9, 1],
    ["c", 1, 2],
  ] as const) {
    answer = { epoch, revision };
    now += 5000;
    await revocations.revoked(token({ principal: "token", sub: "reader", generation: 100, epoch }), () => {});
    expect(renewed).toBe(expected);
  }
});
