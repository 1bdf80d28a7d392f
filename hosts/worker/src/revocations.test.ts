import { expect, test } from "vitest";
import { Revocations } from "./revocations.ts";
import type { Token } from "./token.ts";

test("a newer generation revokes, and silence does after a while", async () => {
  let now = 0;
  let changed: object[] = [];
  let isUp = true;
  const server = {
    fetch: async () => Response.json({ revision: 1, isEverything: true, changed }, { status: isUp ? 200 : 500 }),
  };
  const feed = { url: "http://tokens/generations", authorization: "Basic x", maxAge: 30_000 };
  const revocations = new Revocations(feed, server, () => now);
  const token = { principal: "token", sub: "MyToken", generation: 3 } as Token;
  const behind: Promise<void>[] = [];
  const ask = () => revocations.revoked(token, (work) => behind.push(work));

  expect(await ask()).toBe(false);
  for (const unclear of [
    { ...token, principal: undefined },
    { ...token, generation: undefined },
  ]) {
    expect(await revocations.revoked(unclear, (work) => behind.push(work))).toBe(true);
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
  const server = { fetch: async () => Response.json({ revision: 1, isEverything: true, changed }) };
  const feed = { url: "http://tokens/generations", authorization: "Basic x", maxAge: 30_000 };
  const revocations = new Revocations(feed, server, () => 0);
  const revoked = (sub: string) =>
    revocations.revoked({ principal: "token", sub, generation: 3 } as Token, () => undefined);
  expect(await revoked("KELVIN")).toBe(true);
  expect(await revoked("\u212Aelvin")).toBe(false);
});
