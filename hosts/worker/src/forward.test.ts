import { expect, test } from "vitest";
import { exactly, headersFor, ours } from "./forward.ts";

const ORIGIN = "http://registry";

test("a target that fetch would spell otherwise is not sent", () => {
  for (const target of ["/v2/a/manifests/v1", "/v2/a/tags/list?n=1&last=%2F"]) {
    expect(exactly(ORIGIN, target)).toBe(ORIGIN + target);
  }
  for (const target of [
    "/v2/a/../b",
    "/v2/a/%2e%2e/b",
    "/v2/a\\b",
    "/v2/a#b",
    "/v2/a?x#b",
    "@other/v2/",
    ".other/v2/",
  ]) {
    expect(() => exactly(ORIGIN, target), target).toThrow();
  }
});

test("what says who is calling is not forwarded", () => {
  const kept = { accept: "a", range: "bytes=0-1", "content-type": "t" };
  const withheld = {
    authorization: "Bearer x",
    cookie: "c",
    connection: "close, x-hop",
    "x-hop": "1",
    "x-forwarded-for": "1",
    x_forwarded_host: "h",
    "cf-connecting-ip": "1",
    "x-original-url": "/",
    forwarded: "for=1",
  };
  expect([...headersFor(new Headers({ ...kept, ...withheld })).keys()]).toEqual(Object.keys(kept).sort());
});

test("locations of the registry become the worker's own", () => {
  for (const [location, expected] of [
    ["http://registry/v2/a/blobs/uploads/1?_state=x%2F", "/v2/a/blobs/uploads/1?_state=x%2F"],
    ["/v2/a", "/v2/a"],
    ["https://blobs.example/x", "https://blobs.example/x"],
  ] as const) {
    expect(ours(location, ORIGIN)).toBe(expected);
  }
});
