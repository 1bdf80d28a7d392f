/**
 * The field for anything: which of its parts were applied before, and which steps a new text makes.
 *
 * The field keeps its text, so a part is applied only when it is new: a rule that is changed by
 * hand stays changed when a line is added to the field. The parts of a word that is still being
 * typed are retracted with the next key; what a text did that goes as a whole stays.
 */

import type { Found, Part } from "../recognise";
import { locksOf } from "./locks";
import type { Question } from "./model";
import type { PageModel } from "./page-state";
import { pastedChanges } from "./pasted-changes";
import { isChange, mapsOf, type PastedMaps, pastedIn, saysMaps } from "./pasted-maps";
import { append, close, present, type Step, type TextChange, type Timeline } from "./reduce";

export interface Field {
  /** The parts that were applied, by their keys. */
  applied: Keyed<AppliedPart>;
  /**
   * The parts that were removed while nothing else was understood: what follows from that waits for
   * the next text.
   */
  waiting: AppliedPart[];
  /** The question that a part has asked last, as JSON. */
  asked: string | null;
}

interface AppliedPart {
  found: Found;
  /** Whether it came with the page, and has done nothing. */
  isLoaded: boolean;
}

/** A new text. */
export interface TextInput {
  text: string;
  parts: Part[];
  /** Whether one key makes it of the text before. */
  isKeystroke: boolean;
  /** Milliseconds since 1970. */
  now: number;
}

/** How a new text differs from what was applied. */
interface Difference {
  /** All parts, also those that are not understood. */
  parts: Part[];
  /** The parts that are understood. */
  keys: Keyed<Part>;
  added: Keyed<Part>;
  kept: Keyed<AppliedPart>;
  removed: Keyed<AppliedPart>;
  /** The removed parts that were an unfinished word, or turn out to have failed. */
  retracted: Keyed<AppliedPart>;
}

type Keyed<T> = ReadonlyMap<string, T>;

/** A field whose text came with the page. */
export function initialField(text: string, parts: Part[]): Field {
  const applied = new Map([...keysOf(text, parts)].map(([key, { found }]) => [key, { found, isLoaded: true }]));
  return { applied, waiting: [], asked: null };
}

/** Applies what is new in a text, and retracts what an unfinished word has done. */
export function applyText(field: Field, timeline: Timeline, input: TextInput): { field: Field; timeline: Timeline } {
  const before = present(timeline).model;
  const difference = differenceOf(field, input);
  const steps = stepsOf(field, difference, before, input.now);
  const closed = close(timeline, difference.removed, difference.retracted);
  const after = append(closed, steps);
  return { field: fieldAfter(field, input, difference, before.question, present(after).model), timeline: after };
}

function differenceOf(field: Field, { text, parts, isKeystroke }: TextInput): Difference {
  const keys = keysOf(text, parts);
  const removed = only(field.applied, (key) => !keys.has(key));
  return {
    parts,
    keys,
    added: only(keys, (key) => !field.applied.has(key)),
    kept: only(field.applied, (key) => keys.has(key)),
    removed,
    retracted: isKeystroke ? removed : only(removed, (key) => keys.has(`${key}\n${FAILED}`)),
  };
}

function only<T>(all: Keyed<T>, isIn: (key: string) => boolean): Keyed<T> {
  return new Map([...all].filter(([key]) => isIn(key)));
}

/**
 * The field after the steps of a text: what is in it, what it asks, and the rules that it has left.
 */
function fieldAfter(
  field: Field,
  { text }: TextInput,
  { keys, added, removed, retracted }: Difference,
  before: Question,
  model: PageModel,
): Field {
  const applied = [...keys].map(
    ([key, { found }]) => [key, field.applied.get(key) ?? { found, isLoaded: false }] as const,
  );
  const whole = text.trim() === "" ? [] : [...only(removed, (key) => !retracted.has(key)).values()];
  const question = JSON.stringify(model.question);
  const isAsked = [...added.values()].some(({ found }) => asks(found)) || JSON.stringify(before) !== question;
  return {
    applied: new Map(applied),
    waiting: keys.size > 0 ? [] : [...field.waiting, ...whole],
    asked: isAsked ? question : field.asked,
  };
}

/**
 * The parts that are understood, by their text and which one of those with this text it is: what is
 * pasted again is new.
 */
function keysOf(text: string, parts: Part[]): Keyed<Part> {
  const counts = new Map<string, number>();
  const all = parts.map((part) => {
    const key = `${text.slice(part.from, part.to)}${contextOf(part.found)}`;
    const count = counts.get(key) ?? 0;
    counts.set(key, count + 1);
    return [count === 0 ? key : `${key}\n#${count}`, part] as const;
  });
  // What was not understood may be, once the reader of YAML is there.
  return new Map(all.filter(([, { found }]) => found.kind !== "unknown"));
}

/** Behind the text of a command that was refused or has failed. */
const FAILED = "#failed";

/** What the text around a part makes of it: it is another part when that changes. */
function contextOf(found: Found): string {
  if (found.kind === "command" && found.outcome) return `\n${FAILED}`;
  if (found.kind !== "scopeMap") return "";
  const { name, actions } = found.map;
  return `\n#${name ?? ""} ${actions.length} ${found.isPart ?? false}`;
}

/** What a text changes as a whole, and then what each part changes that is new in it. */
function stepsOf(field: Field, difference: Difference, model: PageModel, now: number): Step[] {
  const added = [...difference.added];
  const failure = failureIn(added.map(([, part]) => part));
  const firstChange = added.findIndex(([, { found }]) => isChange(found));
  const step = (key: string | null, changes: Step["changes"]): Step => ({ key, changes, now });
  const ofParts = added.flatMap(([key, { found }], index) => {
    // What is printed behind a change shows what it has made.
    const printed = firstChange >= 0 && firstChange < index ? mapsOf(found) : [];
    return [
      ...printed.map((map) => step(null, [{ kind: "printed-map", map }])),
      step(key, pastedChanges(found, index <= failure)),
    ];
  });
  return [step(null, ofText(field, difference, model)), ...ofParts];
}

function ofText(field: Field, difference: Difference, model: PageModel): TextChange[] {
  const { parts, keys, added, kept, removed, retracted } = difference;
  const isUnderstood = keys.size > 0;
  const isSaid = [...kept.values()].some(isOfToken);
  const wasSaid = [...field.waiting, ...removed.values()].some(isOfToken);
  // What was said of a token goes with its text, once something else is said; an empty field says
  // nothing.
  const isForgotten = isUnderstood && wasSaid && !isSaid && ![...retracted.values()].some(setsToken);
  const maps: PastedMaps = {
    pasted: pastedIn([...added.values()], [...keys.values()]),
    removed: [...removed.values()].flatMap(({ found }) => mapsOf(found)),
    areOthers: [...keys].some(([key, { found }]) => kept.has(key) && saysMaps(found)),
  };
  return [
    ...(isForgotten ? [{ kind: "forget-token" as const }] : []),
    // What a client said and is no longer in the field was of another question; without one, the
    // old answer stays.
    ...(isUnderstood && !hasReport(parts) ? [{ kind: "forget-report" as const }] : []),
    // The locks of an answer that is left on the page stay with it.
    ...(isStale(field, parts, model.question) ? [] : [{ kind: "locks" as const, locks: locksOf(parts) }]),
    { kind: "pasted-maps", ...maps },
  ];
}

/** The command that failed is what one wants to know about, whatever was tried after it. */
function failureIn(parts: Part[]): number {
  const last = parts.findLastIndex(({ found }) => found.kind === "error");
  const isOfCommand = parts.slice(0, Math.max(0, last)).some(({ found }) => found.kind === "command");
  return last >= 0 && isOfCommand ? last : parts.length;
}

/**
 * Whether the answer is of a question that was in the field, and nothing that is understood has
 * taken its place.
 */
export function isStale({ asked }: Field, parts: Part[], question: Question): boolean {
  if (asked === null || parts.some(({ found }) => found.kind !== "unknown")) return false;
  return JSON.stringify(question) === asked;
}

/** Whether a part says that something failed. */
export function hasReport(parts: Part[]): boolean {
  return parts.some(({ found }) => isReport(found));
}

function isReport(found: Found): boolean {
  return found.kind === "error" || found.kind === "unauthorized" || found.kind === "challenge";
}

/** Whether a part is a question, also the one that is asked already. */
function asks(found: Found): boolean {
  return found.kind === "scopes" || found.kind === "command" || found.kind === "reference" || isReport(found);
}

/** Whether a part says of a token which map it has, and whether it is good. */
function isOfToken({ found, isLoaded }: AppliedPart): boolean {
  if (isLoaded) return false;
  if (found.kind === "token" || found.kind === "passwords") return true;
  return (found.kind === "command" || found.kind === "change") && (found.change?.token ?? null) !== null;
}

/** Whether a part says anything of a token: a name that is cut is another name. */
function setsToken(applied: AppliedPart): boolean {
  const { found, isLoaded } = applied;
  const logsIn = found.kind === "command" && (found.user !== null || found.operation === "login");
  return isOfToken(applied) || (!isLoaded && logsIn);
}

/** Whether one key makes the one text of the other. */
export function isKeystroke(before: string, after: string): boolean {
  const [short, long] = before.length < after.length ? [before, after] : [after, before];
  if (long.length - short.length !== 1) return false;
  let same = 0;
  while (same < short.length && short[same] === long[same]) same += 1;
  return short.slice(same) === long.slice(same + 1);
}
