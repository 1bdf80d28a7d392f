/**
 * Names of repositories, one a line, and image references.
 */

import { endOfLine } from "../documents/extent";
import { Principal, type Reference, readReference } from "../engine";
import { accepted, attempt } from "./attempt";
import type { FoundUnknown } from "./found";
import { lineAt, onePart, type Reading, unknown } from "./reading";

/**
 * Lines of names; words without a slash only when the text holds nothing else, since every
 * lower-case word is a name.
 */
export function readNames(text: string, at: number): Reading | null {
  const { names, to } = linesOfWords(text, at);
  const isAll = text.slice(to).trim() === "" && text.slice(0, at).trim() === "";
  const isMeant = isAll || names.some((name) => name.includes("/"));
  if (isMeant && areRepositories(names)) return onePart(at, to, { kind: "repositories", names });
  return readImage(text, at, isAll);
}

function linesOfWords(text: string, at: number): { names: string[]; to: number } {
  const names: string[] = [];
  let to = at;
  for (let line = at; line < text.length; line = endOfLine(text, line) + 1) {
    const end = endOfLine(text, line);
    const [, name] = /^\s*(?:[-*•]\s+)?["']?([a-z0-9][\w./-]*)["']?,?\s*$/.exec(text.slice(line, end)) ?? [];
    if (!name) break;
    names.push(name);
    to = end;
  }
  return { names, to };
}

/** The engine tells which names are valid; it is asked about the grants of an empty principal. */
export function areRepositories(names: string[]): boolean {
  if (names.length === 0 || names.some((name) => /^[^/]*\.[^/]*\//.test(name))) return false;
  const empty = new Principal("never");
  const grants = empty.granted(names);
  empty.free();
  return grants.every(({ problem }) => problem === null);
}

/** A line that is an image, as a command or a Kubernetes manifest names it. */
function readImage(text: string, at: number, isAll: boolean): Reading | null {
  const line = lineAt(text, at);
  const [, word] = /^(?:-\s+)?(?:image:\s*)?["']?([^\s"']+)["']?,?$/.exec(line) ?? [];
  const reference = word && (isAll || word.includes("/")) ? referenceOf(word) : null;
  if (!reference || (reference.registry === null && !isAll)) return null;
  return onePart(at, at + line.length, { kind: "reference", reference });
}

const SCHEME = /^(?:docker|oci|docker-image):\/\//;
const VARIABLE = "(?:\\$\\{[^}]*\\}|\\$\\([^)]*\\)|\\$\\w+|<[^>]*>|\\{\\{[^}]*\\}\\})";
const UNKNOWN_REGISTRY = new RegExp(`^${VARIABLE}(?:\\.[a-z0-9.-]+)?/`);
const UNKNOWN_TAG = new RegExp(`:[\\w.-]*${VARIABLE}[^/]*$`);

/**
 * What the engine has against an image that begins at `from`; nothing where a variable replaces a
 * piece of it. A `registry` is what the client puts before the image.
 */
export function refusalOf(word: string, from: number, registry = ""): FoundUnknown | null {
  const image = registry + word.replace(SCHEME, "");
  if (/[$<{%]/.test(image) || referenceOf(image)) return null;
  const read = attempt(() => readReference(image));
  return read.kind === "refused" ? unknown(read, from + word.length - image.length) : null;
}

/**
 * A reference as it is written in commands: with a scheme, and with variables for the registry and
 * the tag.
 */
export function referenceOf(word: string): Reference | null {
  const image = word.replace(SCHEME, "");
  return (
    accepted(() => readReference(image)) ??
    accepted(() => readReference(image.replace(UNKNOWN_REGISTRY, "").replace(UNKNOWN_TAG, "")))
  );
}
