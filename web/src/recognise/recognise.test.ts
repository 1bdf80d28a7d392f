/** What is found in the samples, in mixtures of them, and in texts that are made to hurt. */

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { COMMANDS } from "../../tests/samples/commands";
import { DOCUMENTS } from "../../tests/samples/documents";
import { ERRORS } from "../../tests/samples/errors";
import { rendered } from "../../tests/samples/sample";
import { TERMINALS } from "../../tests/samples/terminals";
import type { Part } from "./found";
import { recognise, withoutSecrets } from "./recognise";

/** In milliseconds, on a machine that has much else to do: it is enough that these end. */
const TIMEOUT = 120_000;

const PASTES = new URL("../../../tests/cases/playground/pastes/", import.meta.url);
const PASTED = readdirSync(PASTES).map((file) => readFileSync(new URL(file, PASTES), "utf8"));

const SAMPLES = [...COMMANDS, ...ERRORS, ...DOCUMENTS, ...TERMINALS];

describe("samples", () => {
  test.each(SAMPLES)("$text", ({ text, found }) => {
    expect(rendered(recognise(text))).toEqual(found);
  });

  test.each(SAMPLES)("with Windows line ends, colours and a byte order mark: $text", ({ text, found }) => {
    const pasted = `\ufeff\x1b[31m${text.replaceAll("\n", "\x1b[0m\r\n")}\u200b`;
    const positions = /^unknown \d+:/;
    const withoutPositions = (lines: string[]) => lines.map((line) => line.replace(positions, "unknown"));
    expect(withoutPositions(rendered(recognise(pasted)))).toEqual(withoutPositions(found));
  });
});

describe("places", () => {
  test.each(SAMPLES)("are in order and inside the text: $text", ({ text }) => {
    expectOrder(text, recognise(text));
  });

  test.each(SAMPLES)("of actions are where the actions stand: $text", ({ text }) => {
    for (const { found } of recognise(text)) {
      if (found.kind !== "scopeMap" || found.isPart) continue;
      // The value of an expression is not in the text; its position is that of the expression.
      const stands = (action: string, at = 0) =>
        text.startsWith(action, at) || text[at] === "[" || !text.includes(action);
      const written = found.map.actions.map((action, index) => stands(action, found.at[index]));
      expect(written).not.toContain(false);
    }
  });

  test("count what was taken away", () => {
    const [part] = recognise("\ufeff\x1b[1mrepositories/a/\u200bcontent/read\x1b[0m");
    expect(part).toMatchObject({
      from: 5,
      to: 33,
      found: { at: [5], map: { actions: ["repositories/a/content/read"] } },
    });
  });
});

/**
 * Parts follow one another; maps lie inside a file of assertions, problems inside what has them,
 * and what a loop makes at one place.
 */
function expectOrder(text: string, parts: Part[]) {
  let end = 0;
  let last = "";
  const misplaced = parts.filter(({ from, to, found }) => {
    const isInside = (found.kind === "scopeMap" && found.form === "assertions") || found.kind === "unknown";
    const isBefore = from < end && !isInside && last !== `${from} ${to}`;
    last = `${from} ${to}`;
    if (!isInside) end = to;
    return isBefore || from < 0 || from > to || to > text.length || positionOf(found) > text.length;
  });
  expect(misplaced).toEqual([]);
}

function positionOf(found: Part["found"]): number {
  return found.kind === "unknown" ? found.position : 0;
}

describe("texts of strangers", () => {
  test("random pieces of samples and of what people paste, one behind the other", { timeout: TIMEOUT }, () => {
    const random = randomNumbers(1);
    const texts = [...SAMPLES.map(({ text }) => text), ...PASTED];
    for (let round = 0; round < 800; round++) {
      const text = Array.from({ length: 1 + random(5) }, () => piece(texts[random(texts.length)] ?? "", random)).join(
        "",
      );
      expectOrder(text, recognise(text));
    }
  });

  test.each(NEAR_MISSES())("a megabyte of %j", { timeout: TIMEOUT }, (piece) => {
    const text = piece.repeat(Math.ceil((1 << 20) / piece.length));
    expectOrder(text, recognise(text));
    const kept = withoutSecrets(text);
    expect(withoutSecrets(kept) === kept).toBe(true);
  });

  test("a token that never ends", () => {
    const text = `eyJ${`${"a".repeat(63)}\n`.repeat(1 << 15)}`;
    expect(rendered(recognise(text))).toEqual(["jwt 1 of 3"]);
  });

  test("more than anybody reads", () => {
    expect(rendered(recognise("a".repeat(10 << 20)))).toEqual(["unknown 4194304: too large (over 4 MiB)"]);
  });

  test("nothing", () => {
    expect(recognise("")).toEqual([]);
    expect(recognise(" \n\t\0\ufeff")).toEqual([]);
  });
});

/** Begins of everything that is known, without its end. */
function NEAR_MISSES(): string[] {
  const open = [
    "{",
    "[",
    "{\n",
    "[\n",
    '{"a":',
    '["',
    "[{",
    "- ",
    "-\n",
    "a: ",
    "name:\n ",
    "actions: [",
    "? ",
    "&a *a ",
    '"',
    "'",
  ];
  const lines = [
    "repositories/",
    "repositories/a\n",
    "repository:a",
    "repository:a:pull ",
    "eyJaaaaaaaaa",
    "eyJaaaaaaaaa-",
    "eyJaaaaaaaaa\n",
  ];
  const words = [
    "docker ",
    "docker '\n",
    'docker push "',
    "$ ",
    "sudo ",
    "A=b ",
    "az acr login `\n",
    "docker push \\\n",
    "docker $(",
    "echo docker ",
  ];
  const errors = [
    "denied: ",
    "unauthorized\n",
    "GET https://a/v2/",
    "http://",
    'Get "',
    "manifest for ",
    "map[Action:a ",
    'login -p"',
    '{\\"errors\\":',
    "https:?scope=",
    "denied image_name=",
    "denied\n  a: b\n",
    "DEBU[0000] denied\n",
    "HTTP/1.1 503\n",
  ];
  const heads = [
    "WWW-Authenticate: ",
    "www-authenticate=",
    "HTTP/1.1 401\n",
    "Bearer realm=",
    "a: b\n",
    "# a\n",
    "```\n",
    "---\n",
  ];
  const blocks = [
    'resource "a" "b" {\n',
    "resource {",
    "actions = [",
    "<<A\n",
    "${",
    '"${',
    "/*",
    "The push refers to repository [a]\n",
    'resource "a" "b" {\n x = {',
    'resource "a" "b" {\n x = [concat(',
    "x = {a = [\n",
  ];
  const changes = [
    "@@ -1 +1 @@\n",
    '- resource "a" "b" {\n',
    '~ resource "a" "b" {\n - x = [\n',
    "--- a\n+++ b\n",
    "+ repositories/a\n",
    "~~a",
    "<!-- ",
    "<s>",
    "var a = /*\n",
    "var a = '''\n",
    "var a = [\n",
    "var a = {\n b: [",
    "var a = b ?\n",
    "param a string\n",
    "@secure()\n",
    "resource a 'b@1' = {\n",
    "resource a 'b@1' = [for c in d: {\n",
    "var a = '${'${",
    "NAME  SCOPE MAP  STATUS\n",
    "NAME  SCOPE MAP  STATUS\n--  --  --\na   b   c\n",
    "az acr token show --query status\nx\n",
    "az acr delete -n a\n",
    "az acr scope-map create --re ",
  ];
  const others = [
    "\0",
    "\x1b[",
    "\x1b]",
    "\ud800",
    "\udc00x",
    "é",
    "\r",
    "\r\n",
    "\u2028",
    "“",
    " ",
    "a",
    "a/",
    "-",
    "=",
    "@",
    "\\",
  ];
  return [...open, ...lines, ...words, ...errors, ...heads, ...blocks, ...changes, ...others];
}

type Random = (below: number) => number;

function piece(text: string, random: Random): string {
  const from = random(text.length);
  const cut = text.slice(from, from + 1 + random(text.length));
  return ["", "\n", "\0", "\ud800", '"', "\r\n", "{"][random(7)] + cut;
}

/** The same numbers in each run. */
function randomNumbers(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
