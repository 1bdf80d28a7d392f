/**
 * Which files of the page import which: folders form layers, files form no circle, and what only
 * tests need is no part of the page.
 *
 * Types count as much as values. Left out are tests, which may import anything.
 */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const SOURCES = fileURLToPath(new URL(".", import.meta.url));

/** What a folder may import, besides itself. A new edge is a change of the design. */
const ALLOWED: Record<string, string[]> = {
  main: ["components", "state", "engine", "styles"],
  components: ["state", "recognise", "clients", "tokens", "fixes", "cards", "editor", "engine"],
  state: ["recognise", "clients", "tokens", "engine"],
  recognise: ["documents", "engine"],
  clients: ["engine"],
  tokens: ["documents", "engine"],
  fixes: ["engine"],
  cards: [],
  editor: ["engine"],
  documents: [],
  engine: [],
  styles: [],
};

/** What is packed into a room of its own: one folder alone imports it. */
const PACKAGES: [string, RegExp, string][] = [
  ["the engine", /^(scopegate$|virtual:engine)/, "engine"],
  ["the editor", /^@codemirror\//, "editor"],
  ["the reader of YAML", /^yaml$/, "documents"],
];

/** Where the page begins. */
const ENTRIES = ["main.tsx", "service-worker.ts"];

/** Where the page keeps what it has, and what it changes all of it with. */
const STORES = ["playground", "paste", "memory", "history", "address"].map((name) => `state/${name}.ts`);

const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
  .filter((file) => /\.tsx?$/.test(file) && !/\.(test|d)\.ts$/.test(file))
  .sort();
const imported = new Map(files.map((file) => [file, importsOf(file)]));
const graph = new Map([...imported].map(([file, names]) => [file, names.flatMap((name) => target(file, name) ?? [])]));

test("every folder is in the table", () => {
  expect(new Set(files.map(folderOf))).toEqual(new Set(Object.keys(ALLOWED).filter((name) => name !== "styles")));
});

test("folders import only what is below them", () => {
  const edges = [...imported].flatMap(([file, names]) =>
    names.filter((name) => name.startsWith(".") && !isAllowed(file, name)).map((name) => `${file} imports ${name}`),
  );
  expect(edges).toEqual([]);
});

test("every allowed edge is there", () => {
  const there = new Set([...imported].flatMap(([file, names]) => names.map((name) => edge(file, name))));
  const allowed = Object.entries(ALLOWED).flatMap(([from, all]) => all.map((to) => `${from} to ${to}`));
  expect(allowed.filter((name) => !there.has(name))).toEqual([]);
});

test.each(PACKAGES)("%s is imported by one folder", (_, name, folder) => {
  const importers = files.filter((file) => imported.get(file)?.some((each) => name.test(each)));
  expect([...new Set(importers.map(folderOf))]).toEqual([folder]);
});

test("no circle is between files", () => {
  expect(circleIn(graph)).toEqual([]);
});

test("what only tests import is not in the sources", () => {
  const reached = reachedFrom(ENTRIES);
  expect(files.filter((file) => !reached.has(file))).toEqual([]);
});

/** What another page can use, too: values come in and callbacks go out. */
const SHARED = [
  "Assertions.tsx",
  "CatalogChoice.tsx",
  "ClientPanel.tsx",
  "Dialog.tsx",
  "IssuePreview.tsx",
  "ShareButton.tsx",
  "TokenDetails.tsx",
];

test.each(SHARED)("%s knows no store", (file) => {
  expect(files).toContain(`components/${file}`);
  const reached = reachedFrom([`components/${file}`]);
  expect([...reached].filter((each) => STORES.includes(each))).toEqual([]);
});

/** Graphs as `file: imports`, and the circle in each. */
const graphs: [Record<string, string[]>, string[]][] = [
  [{ a: ["b"], b: ["c"], c: [] }, []],
  [{ a: ["b", "c"], b: ["c"], c: [] }, []],
  [{ a: ["a"] }, ["a", "a"]],
  [{ a: ["b"], b: ["c"], c: ["b"] }, ["b", "c", "b"]],
];

test.each(graphs)("a circle is found: %j", (imports, circle) => {
  expect(circleIn(new Map(Object.entries(imports)))).toEqual(circle);
});

function importsOf(file: string): string[] {
  const text = readFileSync(join(SOURCES, file), "utf8");
  return [...text.matchAll(/(?:\bfrom|\bimport\s*\(?)\s*"([^"]+)"/g)].flatMap(([, name]) => name ?? []);
}

/** The file that an import names. */
function target(file: string, name: string): string | undefined {
  if (!name.startsWith(".")) return undefined;
  const path = normalize(join(dirname(file), name));
  return [path, `${path}.ts`, `${path}.tsx`, `${path}/index.ts`].find((each) => files.includes(each));
}

/** The folder of a file; those beside the folders are `main`. */
function folderOf(file: string): string {
  return file.includes("/") ? (file.split("/")[0] ?? "") : "main";
}

function edge(file: string, name: string): string {
  return `${folderOf(file)} to ${folderOf(importedPath(file, name))}`;
}

function importedPath(file: string, name: string): string {
  const path = normalize(join(dirname(file), name));
  return target(file, name) ?? (path in ALLOWED ? `${path}/` : path);
}

/** An import from outside of the sources is in no folder of them. */
function isAllowed(file: string, name: string): boolean {
  const [from, to] = [folderOf(file), folderOf(importedPath(file, name))];
  return from === to || (ALLOWED[from] ?? []).includes(to);
}

/** The first circle, as the files on the way around. */
function circleIn(imports: Map<string, string[]>): string[] {
  const done = new Set<string>();
  const from = (file: string, way: string[]): string[] => {
    const start = way.indexOf(file);
    if (start >= 0) return [...way.slice(start), file];
    if (done.has(file)) return [];
    for (const next of imports.get(file) ?? []) {
      const circle = from(next, [...way, file]);
      if (circle.length > 0) return circle;
    }
    done.add(file);
    return [];
  };
  for (const file of imports.keys()) {
    const circle = from(file, []);
    if (circle.length > 0) return circle;
  }
  return [];
}

function reachedFrom(entries: string[]): Set<string> {
  const reached = new Set(entries);
  for (const file of reached) for (const next of graph.get(file) ?? []) reached.add(next);
  return reached;
}
