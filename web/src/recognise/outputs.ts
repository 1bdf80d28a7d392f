/**
 * What is below a command of `az` is what it printed: why it failed, or a thing that only the
 * command names.
 *
 * An output goes from the command's line to the next command or prompt. A command that failed has
 * done nothing, and the errors that it printed are about itself. Left out: what other clients
 * print, which is about the question.
 */

import { endOfLine } from "../documents/extent";
import type { Found, FoundCommand, FoundScopeMap, Lock, Part } from "./found";
import { queriedBy } from "./queried";
import { lineAt } from "./reading";

/** Why a command failed is said within this many lines. */
const MAX_LINES = 40;

export function withOutputs(text: string, parts: Part[]): Part[] {
  const result: Part[] = [];
  const next = nextCommands(parts);
  let running: Running | null = null;
  for (const [index, part] of parts.entries()) {
    const { found } = part;
    if (found.kind === "command" || isCommand(found)) running = null;
    if (found.kind === "command" && found.client === "az") {
      running = started(text, part, found, next[index] ?? text.length, result.length);
      result.push({ ...part, found: running.command });
    } else if (!running || part.from >= running.end) result.push(part);
    else {
      running = troubled(text, running, part);
      result[running.index] = { ...running.part, found: running.command };
      result.push(...printed(text, running.command, part));
    }
  }
  return result;
}

/** A command whose output is being read. */
interface Running {
  command: FoundCommand;
  part: Part;
  /** Its index among the parts. */
  index: number;
  end: number;
}

function started(text: string, part: Part, found: FoundCommand, next: number, index: number): Running {
  const { to, hasFailed } = outputOf(text, part.to, next);
  return { command: hasFailed ? { ...found, outcome: "failed" } : found, part, index, end: to };
}

function troubled(text: string, running: Running, part: Part): Running {
  const { command } = running;
  const does = command.change !== null || command.lock !== null;
  if (command.outcome !== null || !does || !speaksOfTrouble(text, part)) return running;
  return { ...running, command: { ...command, outcome: "refused" } };
}

/** A line of a client that asks nothing which is known is a command too. */
function isCommand(found: Found): boolean {
  return found.kind === "unknown" && found.message.startsWith("not a known `");
}

/** Where the next command begins behind each part. */
function nextCommands(parts: Part[]): number[] {
  const begins: number[] = [];
  let next = Number.POSITIVE_INFINITY;
  for (const [index, { from, found }] of [...parts.entries()].reverse()) {
    begins[index] = next;
    if (found.kind === "command" || isCommand(found)) next = from;
  }
  return begins;
}

/** Shell prompts: of Unix, of PowerShell, of Windows. */
const PROMPT = /^(?:PS [^>\n]{0,200}>|[^\s>$#%]{0,80}(?: [^\s>$#%]{1,40})?[$#%❯»λ➜]|[A-Za-z]:\\[^>\n]{0,200}>)\s/;

const FAILURES = [
  "(?:cli\\.\\S{1,80}: )?ERROR: ",
  "az(?:\\.cmd)?(?: [a-z-]{1,30}){0,5} ?: ",
  "[A-Z][a-z]+-Az\\w{2,60} ?: ",
  "\\([A-Z]\\w{2,60}\\) ",
  "the following arguments are required",
  "unrecognized arguments",
  "argument --?\\w",
  "(?:expected|invalid) \\w{1,20} argument",
  "usage error",
  "'[^'\\n]{1,60}' is (?:misspelled|not recognized)",
  "Operation cancelled",
  ".{0,300}\\(y\\/n\\) ?:? ?n(?:o)?\\s*$",
  "(?:-?\\w{0,10}sh: )?(?:line \\d{1,6}: )?az: (?:command )?not found",
  "(?:-?\\w{0,10}sh: )(?:line \\d{1,6}: )?az: ",
  "Please run 'az login'",
  "Traceback \\(most recent call last\\)",
  "##\\[error\\]",
];
const FAILED = new RegExp(`^\\s{0,20}(?:${FAILURES.join("|")})`, "i");

/** Where the output of a command ends, and whether it says that the command failed. */
function outputOf(text: string, from: number, next: number): { to: number; hasFailed: boolean } {
  let to = endOfLine(text, from);
  let hasFailed = false;
  for (let count = 0; count < MAX_LINES && to < text.length && to < next; count++) {
    const line = lineAt(text, to + 1).slice(0, 1000);
    if (PROMPT.test(line)) return { to, hasFailed };
    hasFailed ||= FAILED.test(line);
    to = endOfLine(text, to + 1);
  }
  // A document is longer than what is looked through for a failure.
  return { to: Math.min(next, hasFailed || to >= text.length ? to : endOfOutput(text, to, next)), hasFailed };
}

function endOfOutput(text: string, from: number, next: number): number {
  let to = from;
  while (to < text.length && to < next && !PROMPT.test(lineAt(text, to + 1).slice(0, 400)))
    to = endOfLine(text, to + 1);
  return to;
}

/** A part of the output, as the command means it. */
function printed(text: string, command: FoundCommand, part: Part): Part[] {
  const { found } = part;
  const manages = command.change !== null || command.lock !== null || command.subject !== null;
  if (manages && command.outcome === "failed" && (isReport(found) || found.kind === "unknown")) return [];
  if (found.kind === "scopeMap") return [{ ...part, found: namedMap(found, command) }];
  if (found.kind === "lock") return [{ ...part, found: { kind: "lock", lock: namedLock(found.lock, command) } }];
  const value =
    found.kind === "unknown" ? queriedBy(command, text.slice(part.from, Math.min(part.to, part.from + 400))) : null;
  return [value ? { ...part, found: value } : part];
}

/** Words that tell of a failure in whatever form. */
const TROUBLE =
  /\b(?:error|fail(?:ed|ure|s)|forbidden|conflict|denied|unauthorized|not (?:found|authorized|allowed|permitted|valid)|invalid|exception|cannot|could not|unable|does not|exceed|quota|refused|timed out|aborted|cancell?ed)/i;

/**
 * An unknown line that speaks of a failure leaves open whether the command has done
 * anything.
 */
function speaksOfTrouble(text: string, { from, to, found }: Part): boolean {
  const line = text.slice(from, Math.min(to, from + 2000));
  return found.kind === "unknown" && !NO_OUTPUT.test(line) && TROUBLE.test(line);
}

/** Warnings, and the next lines of a script. */
const NO_OUTPUT =
  /^\s*(?:WARNING|(?:echo|printf|if|then|else|elif|fi|for|while|do|done|exit|set|export|return|local|function|case|esac|Write-\w+)\b|\[\[?\s|[{}|&>])/i;

function isReport({ kind }: Found): boolean {
  return kind === "error" || kind === "unauthorized" || kind === "challenge";
}

function namedMap(found: FoundScopeMap, { operation, subject, registry, change }: FoundCommand): FoundScopeMap {
  const name = operation === "scope-map-show" ? subject : operation.startsWith("scope-map-") ? change?.scopeMap : null;
  if (!name || (found.map.name !== null && found.map.name !== name)) return found;
  return { ...found, map: { ...found.map, name, registry: found.map.registry ?? registry } };
}

/**
 * What names its repository says itself whether it is of a tag; a tag and attributes alone do not.
 */
function namedLock(lock: Lock, { reference, registry }: FoundCommand): Lock {
  if (!reference || lock.repository !== null) return lock;
  return {
    ...lock,
    registry: lock.registry ?? reference.registry ?? registry,
    repository: reference.repository,
    tag: lock.tag ?? reference.tag,
    digest: lock.digest ?? reference.digest,
  };
}
