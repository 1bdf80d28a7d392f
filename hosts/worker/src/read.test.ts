import { expect, test } from "vitest";
import { Reads, read } from "./read.ts";

const answer = (response: () => Response) => ({ fetch: async () => response() });

test("one status is read, and no redirect is followed", async () => {
  let init: RequestInit | undefined;
  const server = {
    fetch: async (_: unknown, given?: RequestInit) => {
      init = given;
      return new Response("text");
    },
  };
  expect(new TextDecoder().decode(await read(server, "http://t/", { authorization: "Basic x" }, 1000))).toBe("text");
  expect(init?.redirect).toBe("manual");
  for (const status of [201, 203, 206, 301, 302, 307, 308, 404, 500]) {
    const other = answer(() => new Response("text", { status, headers: { location: "http://elsewhere/" } }));
    await expect(read(other, "http://t/", {}, 1000)).rejects.toThrow(`status ${status}`);
  }
});

test("an answer without an end is not read to it", async () => {
  let sent = 0;
  const piece = new Uint8Array(1024 * 1024);
  const body = () =>
    new ReadableStream({
      pull(controller) {
        sent += piece.byteLength;
        controller.enqueue(piece);
      },
    });
  const server = answer(() => new Response(body()));
  await expect(read(server, "http://t/", {}, 1000)).rejects.toThrow("longer than");
  expect(sent).toBeLessThan(32 * 1024 * 1024);
});

test("few reads are under way at once, and one that is lost does not count for ever", () => {
  const reads = new Reads(2, 1000);
  expect(reads.mayBegin(0, 500)).toBe(true);
  const first = reads.begin(0);
  expect(reads.mayBegin(1, 500)).toBe(true);
  const second = reads.begin(1);
  expect(reads.mayBegin(2, 500)).toBe(false);
  reads.end(first);
  expect(reads.mayBegin(3, 500), "two have begun together, and one has not ended").toBe(false);
  reads.end(second);
  expect(reads.mayBegin(4, 500), "too soon").toBe(false);
  expect(reads.mayBegin(501, 500)).toBe(true);
  reads.begin(501);
  expect(reads.mayBegin(1502, 500), "it was cancelled").toBe(true);
});
