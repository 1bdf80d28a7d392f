/**
 * The command line reads scope maps out of whole documents, and the page out of whatever is pasted.
 * Where both read one, they read the same.
 *
 * Left out: what the page works out beyond that, from expressions; the command line refuses those.
 */

import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { COMMANDS } from "../../tests/samples/commands";
import { DOCUMENTS } from "../../tests/samples/documents";
import { readRules, readScopeMaps, type WrittenScopeMap } from "../engine";
import { recognise } from "./recognise";

const CASES = new URL("../../../tests/cases/", import.meta.url);

/**
 * JSON is YAML. A list of which nothing is a rule is one of repositories to the page, and refused
 * by the command line a step later.
 */
function readAsADocument(text: string): string[] | null {
  try {
    const maps = readScopeMaps(parse(text, { uniqueKeys: true }));
    if (maps.some(({ actions }) => readRules(actions).every(({ problem }) => problem))) return null;
    return maps.map(shown);
  } catch {
    return null;
  }
}

function readAsAPaste(text: string): string[] {
  return recognise(text).flatMap(({ found }) => (found.kind === "scopeMap" ? [shown(found.map)] : []));
}

function shown({ registry, name, actions }: WrittenScopeMap): string {
  return `${registry ?? "-"}/${name ?? "-"}: ${actions.join(" ")}`;
}

function texts(folder: string): [string, string][] {
  const files = readdirSync(new URL(folder, CASES)).filter((file) => !file.includes("utf16"));
  return files.map((file) => [file, readFileSync(new URL(`${folder}${file}`, CASES), "utf8")]);
}

const SAMPLES = [...DOCUMENTS, ...COMMANDS].map(({ text }): [string, string] => [text.slice(0, 60), text]);
const BOTH = [...texts("cli/"), ...texts("playground/pastes/"), ...SAMPLES].filter(([, text]) => readAsADocument(text));

test.each(BOTH)("%s", (_, text) => {
  expect(readAsAPaste(text)).toEqual(readAsADocument(text));
});

test("there are enough of them", () => {
  expect(BOTH.length).toBeGreaterThan(15);
});
