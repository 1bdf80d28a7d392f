/**
 * The field for anything: which of its parts were applied before, and which steps a new text makes.
 *
 * The field keeps its text, so a part is applied only when it is new: a rule that is changed by
 * hand stays changed when a line is added to the field. The parts of a word that is still being
 * typed are retracted with the next key; what a text did that goes as a whole stays.
 */

import type { Found, Part } from "../recognise";
import { effects } from "./effects";
import { locksOf } from "./locks";
import type { Question } from "./model";
import type { PageModel } from "./page-state";
import { isChange, mapsOf, pastedIn, saysMaps } from "./pasted-maps";
import { append, keep, present, retract, type Step, type TextChange, type Timeline } from "./reduce";

export interface Field {
  /** The parts that were applied, by their keys. */
  applied: ReadonlyMap<string, AppliedPart>;
  /**
   * The parts that were removed while nothing else was understood: what follows from that waits for
   * the next text.
   */
  waiting: AppliedPart[];
  /** The question that a part has asked last, as JSON. */
  asked: string | null;
  /** The rules as the field has left them. */
  rules: string[][];
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

/** The steps of a new text, and what becomes of those before. */
interface Plan {
  field: Field;
  /** The parts whose steps are retracted. */
  retractedKeys: string[];
  /** The parts that are removed, and whose effects stay. */
  kept: string[];
  steps: Step[];
}

/** A field whose text came with the page. */
export function initialField(text: string, parts: Part[], model: PageModel): Field {
  const applied = new Map([...keysOf(text, parts)].map(([key, { found }]) => [key, { found, isLoaded: true }]));
  return { applied, waiting: [], asked: null, rules: rulesOf(model) };
}

/** Applies what is new in a text, and retracts what an unfinished word has done. */
export function applyText(field: Field, timeline: Timeline, input: TextInput): { field: Field; timeline: Timeline } {
  const { model } = present(timeline);
  const plan = planOf(field, input, model);
  const after = append(keep(retract(timeline, plan.retractedKeys), plan.kept), plan.steps);
  return { field: afterSteps(field, plan, model.question, present(after).model), timeline: after };
}

/**
 * The parts that are understood, by their text and which one of those with this text it is: what is
 * pasted again is new.
 */
function keysOf(text: string, parts: Part[]): Map<string, Part> {
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

/** What a new text changes, and the field after it. */
function planOf(field: Field, input: TextInput, model: PageModel): Plan {
  const { text, parts, isKeystroke, now } = input;
  const keys = keysOf(text, parts);
  const added = [...keys].filter(([key]) => !field.applied.has(key));
  const removed = [...field.applied].filter(([key]) => !keys.has(key));
  const retracted = isKeystroke ? removed : removed.filter(([key]) => keys.has(`${key}\n${FAILED}`));
  const retractedKeys = new Set(retracted.map(([key]) => key));
  const whole = removed.filter(([key]) => !retractedKeys.has(key));
  const applied = [...keys].map(
    ([key, { found }]) => [key, field.applied.get(key) ?? { found, isLoaded: false }] as const,
  );
  const waiting = keys.size > 0 ? [] : [...field.waiting, ...(text.trim() === "" ? [] : whole.map(([, part]) => part))];
  const isUndoable = !retracted.some(([, part]) => replaces(part)) || !isSameRules(field.rules, rulesOf(model));
  const step = (key: string | null, changes: Step["changes"]): Step => ({ key, changes, now, isUndoable });
  const changes = ofText(field, { parts, keys, retracted, added }, model);
  return {
    field: { ...field, applied: new Map(applied), waiting },
    retractedKeys: [...retractedKeys],
    kept: whole.map(([key]) => key),
    steps: [step(null, changes), ...ofParts(added, step)],
  };
}

type Entry<T> = readonly [key: string, value: T];

interface TextParts {
  parts: Part[];
  keys: Map<string, Part>;
  retracted: Entry<AppliedPart>[];
  added: Entry<Part>[];
}

/** What a text changes as a whole. */
function ofText(field: Field, { parts, keys, retracted, added }: TextParts, model: PageModel): TextChange[] {
  const removed = [...field.applied].filter(([key]) => !keys.has(key)).map(([, part]) => part);
  const kept = [...keys].flatMap(([key]) => field.applied.get(key) ?? []);
  const changes: TextChange[] = [];
  // What was said of a token goes with its text, once something else is said; an empty field says
  // nothing.
  const isForgotten = keys.size > 0 && !kept.some(isOfToken) && [...field.waiting, ...removed].some(isOfToken);
  if (isForgotten && !retracted.some(([, part]) => setsToken(part))) changes.push({ kind: "forget-token" });
  // What a client said and is no longer in the field was of another question; without one, the
  // old answer stays.
  if (keys.size > 0 && !hasReport(parts)) changes.push({ kind: "forget-report" });
  // The locks of an answer that is left on the page stay with it.
  if (!isStale(field, parts, model.question)) changes.push({ kind: "locks", locks: locksOf(parts) });
  changes.push({
    kind: "pasted-maps",
    pasted: pastedIn(
      added.map(([, part]) => part),
      [...keys.values()],
    ),
    removed: removed.flatMap(({ found }) => mapsOf(found)),
    areOthers: [...keys].some(([key, { found }]) => field.applied.has(key) && saysMaps(found)),
  });
  return changes;
}

/** What each part changes that is new in the text. */
function ofParts(added: Entry<Part>[], step: (key: string | null, changes: Step["changes"]) => Step): Step[] {
  const failure = failureIn(added.map(([, part]) => part));
  const firstChange = added.findIndex(([, { found }]) => isChange(found));
  return added.flatMap(([key, { found }], index) => {
    // What is printed behind a change shows what it has made.
    const printed = firstChange >= 0 && firstChange < index ? mapsOf(found) : [];
    const shown = printed.map((map): TextChange => ({ kind: "printed-map", map }));
    return [...(shown.length > 0 ? [step(null, shown)] : []), step(key, effects(found, index <= failure))];
  });
}

/** The command that failed is what one wants to know about, whatever was tried after it. */
function failureIn(parts: Part[]): number {
  const last = parts.findLastIndex(({ found }) => found.kind === "error");
  const isOfCommand = parts.slice(0, Math.max(0, last)).some(({ found }) => found.kind === "command");
  return last >= 0 && isOfCommand ? last : parts.length;
}

/** The field after the steps of a text: what it asks, and the rules that it has left. */
function afterSteps(field: Field, plan: Plan, before: Question, model: PageModel): Field {
  const question = JSON.stringify(model.question);
  const added = [...plan.field.applied].filter(([key]) => !field.applied.has(key));
  const isAsked = added.some(([, { found }]) => asks(found)) || JSON.stringify(before) !== question;
  return { ...plan.field, asked: isAsked ? question : field.asked, rules: rulesOf(model) };
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

/** Whether a part has taken the place of something. */
function replaces({ found, isLoaded }: AppliedPart): boolean {
  return !isLoaded && (mapsOf(found).length > 0 || found.kind === "assertions");
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

function rulesOf({ maps }: PageModel): string[][] {
  return maps.map(({ actions }) => actions);
}

function isSameRules(one: string[][], other: string[][]): boolean {
  return one.length === other.length && one.every((actions, index) => actions === other[index]);
}

/** Whether one key makes the one text of the other. */
export function isKeystroke(before: string, after: string): boolean {
  const [short, long] = before.length < after.length ? [before, after] : [after, before];
  if (long.length - short.length !== 1) return false;
  let same = 0;
  while (same < short.length && short[same] === long[same]) same += 1;
  return short.slice(same) === long.slice(same + 1);
}
