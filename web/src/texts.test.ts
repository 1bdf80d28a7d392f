/**
 * What the page says is plain English: phrases that have a plainer word do not come back.
 *
 * Looks at the sources without their comments, so that every text is seen, wherever it is.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const SOURCES = fileURLToPath(new URL(".", import.meta.url));

const STILTED = [
  /(?<![Tt]here) is no /,
  /\bare no (?!longer)/,
  /\bthat no\b/,
  /\bneither \w+ nor\b/,
  /\bnobody\b/,
  /\bwhoever\b/,
  /\bnone of ours\b/,
  /(?<!-)\bstands?\b(?!-)/,
  /\btwo readers\b/,
  /\bnot the one\b/,
  /\bso many\b/,
  /\bof .* hold$/,
  /\bSave access\.yaml\b/,
  /\baccess\.yaml saved\b/,
  /\bCopy as YAML\b/,
  /\bwhy it matters\b/,
  /\bWho may\b/,
  /\broot wildcard\b/,
  /\beverybody\b/,
  /\bKeep as a test\b/,
  /\bForget this\b/,
  /\bMeanwhile\b/,
  /\bThe token that would be issued\b/,
  /"An? (access|refresh|signed) token"/,
  /\bwithout its signature\b/,
  /\basking for a token\b/,
  /\bClock:/,
  /\bAsk for a scope above\b/,
  /\bShare this page\b/,
  /\blook before you send\b/,
  /\bnothing tells to be\b/,
  /\bmail and chat programs\b/,
  /\bNo rule yet\b/,
  /\badd a rule$/,
  /\bone a line\b/,
  /\bAdd another scope map\b/,
];

const comments = /\/\*[\s\S]*?\*\/|(?<![:"'`])\/\/.*$/gm;

test.each([
  ['"a name that is no scope"', true],
  ["<p>What stands here</p>", true],
  ['"there is no answer"', false],
  ["// nobody reads this\nlet is_no = 1;", false],
  ["/* nobody */ https://example.com/nobody", true],
])("%s", (source, isStilted) => {
  expect(stilted(source).length > 0).toBe(isStilted);
});

test("no text of the page has a stilted phrase", () => {
  const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" });
  const texts = files.filter((file) => /\.tsx?$/.test(file) && !/\.(test|d)\.ts$/.test(file));
  const found = texts.flatMap((file) =>
    stilted(readFileSync(join(SOURCES, file), "utf8")).map((line) => `${file}: ${line}`),
  );
  expect(found).toEqual([]);
});

function stilted(source: string): string[] {
  const lines = source.replaceAll(comments, "").split("\n");
  return lines.map((line) => line.trim()).filter((line) => STILTED.some((phrase) => phrase.test(line)));
}
