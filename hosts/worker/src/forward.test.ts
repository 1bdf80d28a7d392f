import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Credential, Engine } from "./engine.ts";
import { answer, exactly, headersFor, ours } from "./forward.ts";

const ORIGIN = "http://registry";
const module = new WebAssembly.Module(readFileSync("../../target/engine/worker.wasm"));
const engine = new Engine(module);

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

test("what the engine does not name is not sent on", () => {
  const kept = { accept: "a", range: "bytes=0-1" };
  const withheld = {
    authorization: "Bearer x",
    cookie: "c",
    connection: "close, x-hop",
    "x-hop": "1",
    "x-forwarded-for": "1",
    x_forwarded_host: "h",
    "cf-connecting-ip": "1",
    "x-original-url": "/",
    "x-remote-user": "admin",
    forwarded: "for=1",
    "content-type": "multipart/form-data",
  };
  const received = new Headers({ ...kept, ...withheld });
  expect([...headersFor(received, "", engine.headerRules).keys()]).toEqual(Object.keys(kept).sort());
  expect(headersFor(received, "application/json", engine.headerRules).get("content-type")).toBe("application/json");
});

test("the type of a body is set, and a request with two is refused", () => {
  const admitted = (contentType: string) => {
    const admission = engine.admit({
      method: "POST",
      target: "/v2/a/blobs/uploads/",
      headers: new Headers({ "content-type": contentType }),
      credential: Credential.Valid,
      access: "repository:a:pull,push",
      realm: "r",
      service: "s",
      settings: 0,
    });
    return admission.kind === "forward" ? admission.contentType : admission.status;
  };
  expect(admitted("application/x-www-form-urlencoded")).toBe("application/octet-stream");
  expect(admitted("application/octet-stream, multipart/form-data")).toBe(400);
});

test("an answer loses what a browser would obey", () => {
  const headers = { "set-cookie": "a=b", "access-control-allow-origin": "*", "www-authenticate": "Basic", etag: '"x"' };
  const answered = answer(new Response("", { headers }), engine.headerRules, ORIGIN);
  expect([...answered.headers.keys()].sort()).toEqual([
    "content-security-policy",
    "content-type",
    "etag",
    "x-content-type-options",
  ]);
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
