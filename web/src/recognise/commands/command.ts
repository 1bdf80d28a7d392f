/**
 * Command lines of the clients: behind a prompt, `sudo` or variables, in a pipe, over several
 * lines.
 *
 * Of the options only those are kept that say what is asked of which registry, and for whom.
 * Passwords are passed over.
 */

import type { Client, Part } from "../found";
import { lineAt, type Reading, unknown } from "../reading";
import { readAz } from "./az";
import { readAzRest } from "./az-rest";
import { readGo } from "./go";
import { readLine, type Word } from "./words";

const NAMES: ReadonlyMap<string, Client> = new Map([
  ...(["docker", "podman", "skopeo", "oras", "helm", "crane", "az"] as const).map((name) => [name, name] as const),
  // The same library as podman makes its requests.
  ["buildah", "podman"],
]);

/** Far enough for a long prompt and for variables. */
const MAX_PREFIX = 400;
const NAMED = new RegExp(`(?:^|[\\s/\\\\>$#\\]\`(])(?:${[...NAMES.keys()].join("|")})(?:\\.exe)?(?=\\s)`, "g");

export function readCommand(text: string, at: number): Reading | null {
  const from = startOf(lineAt(text, at).slice(0, MAX_PREFIX));
  if (from === null) return null;
  const line = readLine(text, at + from);
  const isComment = /^#+\s*$/.test(text.slice(at, at + from));
  const parts = line.commands.flatMap(partsOf).map((part) => (isComment ? uncertain(part) : part));
  return parts.length > 0 ? { parts, to: line.to } : null;
}

/** A lone `#` is the prompt of root, or comments the command out. */
function uncertain(part: Part): Part {
  const { found } = part;
  const does = found.kind === "command" && (found.change !== null || found.lock !== null);
  return does ? { ...part, found: { ...found, outcome: "refused" } } : part;
}

/** Where the name of a client is where a command may be. */
function startOf(line: string): number | null {
  for (const { 0: match, index } of line.matchAll(NAMED)) {
    const start = index + match.search(/\w/);
    const before = line.slice(0, start).replace(/[\w.~:\\/-]*$/, "");
    if (isPrefix(before)) return start;
  }
  return null;
}

const WRAPPER =
  /(?:^|\s)(?:sudo|doas|time|nohup|exec|env|command|winpty|[A-Za-z_]\w*=(?:"[^"]*"|'[^']*'|\S*)|-\w+|-u \w+)\s*$/;

/**
 * What may precede a command: nothing, a prompt, an operator, and between them wrappers and
 * variables.
 */
function isPrefix(text: string): boolean {
  let before = text.trimEnd();
  for (let shorter = before.replace(WRAPPER, ""); shorter !== before; shorter = before.replace(WRAPPER, "")) {
    before = shorter.trimEnd();
  }
  return before === "" || /[$#%>❯»λ✗›+|&;(`]$/.test(before) || before.startsWith("➜") || before.endsWith("##[command]");
}

/** The command, and what its client does not take of it. */
function partsOf(words: Word[]): Part[] {
  const start = words.findIndex(({ text }) => clientOf(text) !== null);
  const [name, ...rest] = words.slice(start);
  const client = name ? clientOf(name.text) : null;
  if (
    start < 0 ||
    !name ||
    !client ||
    !isPrefix(
      words
        .slice(0, start)
        .map(({ text }) => text)
        .join(" "),
    )
  )
    return [];
  const read = client === "az" ? (readAz(rest) ?? readAzRest(rest)) : readGo(client, rest);
  const nothing = {
    message: `not a known \`${client}\` command for a registry`,
    hint: null,
    position: name.from,
  };
  const range = { from: name.from, to: (words.at(-1) ?? name).to };
  if (!read || !("refused" in read)) return [{ ...range, found: read ?? unknown(nothing) }];
  const refused = read.refused.map((found) => ({ from: found.position, to: range.to, found }));
  return [{ ...range, found: read.found }, ...refused];
}

function clientOf(word: string): Client | null {
  const [name = ""] = /[^\\/]*$/.exec(word.slice(-200)) ?? [];
  return NAMES.get(name.replace(/\.exe$/, "")) ?? null;
}
