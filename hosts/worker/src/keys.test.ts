import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Engine } from "./engine.ts";
import { Keys } from "./keys.ts";

const ENGINE = new Engine(new WebAssembly.Module(readFileSync("../../target/engine/worker.wasm")));

const EC = {
  kty: "EC",
  crv: "P-256",
  x: "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
  y: "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
};

test("keys that were let go of are read again at once, or nothing is verified", async () => {
  let published = ["a"];
  let isUp = true;
  const server = {
    fetch: async () => Response.json({ keys: published.map((kid) => ({ ...EC, kid })) }, { status: isUp ? 200 : 500 }),
  };
  const keys = new Keys("http://tokens/jwks.json", server, ENGINE, () => 0);
  const leaked = await keys.find("a");
  if (!leaked) throw new Error("no key");
  published = ["b"];
  // A set is used for minutes.
  expect(await keys.find("a")).toBe(leaked);
  expect(await keys.find("b")).toBe(undefined);
  keys.renew();
  expect(keys.has(leaked)).toBe(false);
  isUp = false;
  await expect(keys.find("a")).rejects.toThrow();
  isUp = true;
  expect(await keys.find("a")).toBe(undefined);
  expect((await keys.find("b"))?.id).toBe("b");
});
