/**
 * The field for anything, joined with the page: a text is recognised, and what is new in it
 * applied by the reducer.
 */

import { batch, createComputed, createMemo, createSignal, on, untrack } from "solid-js";
import { type Part, recognise, whenReaderIsThere } from "../recognise";
import { applyText, type Field, hasReport, initialField, isKeystroke, isStale } from "./field";
import { locksOf } from "./locks";
import type { Model } from "./model";
import type { Playground } from "./playground";
import { keepAll, present, type TextChange, type Timeline } from "./reduce";

export type { Part } from "../recognise";

export type Paste = ReturnType<typeof createPaste>;

/** The page as a value that never changes: its text, what was done, and what of the text was. */
export interface Snapshot {
  pasted: string;
  timeline: Timeline;
  field: Field;
}

export function createPaste(playground: Playground) {
  /** How many readers were loaded since: what is in the field is read again with each. */
  const [readers, setReaders] = createSignal(0);
  const text = () => playground.model.pasted;
  const parts = createMemo(() => partsOf(text(), readers()));
  const [field, setField] = createSignal(loaded());
  const question = () => present(playground.timeline()).model.question;
  const isAnswerStale = createMemo(() => isStale(field(), parts(), question()));
  let isTyped = false;

  /** What is in the field has been applied already. */
  function loaded() {
    playground.update(keepAll(untrack(playground.timeline)));
    return initialField(text(), parts());
  }

  // What a client said was of the question that is gone now, and what was locked goes with its
  // text.
  createComputed(
    on(
      isAnswerStale,
      (stale) => {
        if (stale) return;
        const changes: TextChange[] = hasReport(parts()) ? [] : [{ kind: "forget-report" }];
        playground.change(...changes, { kind: "locks", locks: locksOf(parts()) });
      },
      { defer: true },
    ),
  );

  function write(next: string) {
    const isTypedKey = isKeystroke(text(), next);
    // The same once more is pasted, and not typed.
    if (next === text()) {
      playground.update(keepAll(untrack(playground.timeline)));
      setField((before) => ({ ...before, applied: new Map() }));
    }
    playground.setText(next);
    applyNew(isTypedKey);
    isTyped = true;
  }

  function applyNew(isKeystroke: boolean) {
    const input = { text: text(), parts: parts(), isKeystroke, now: Date.now() };
    const after = applyText(untrack(field), untrack(playground.timeline), input);
    playground.update(after.timeline);
    setField(after.field);
  }

  whenReaderIsThere(() => {
    setReaders((count) => count + 1);
    if (isTyped) applyNew(false);
    else setField((before) => ({ ...before, applied: loaded().applied }));
  });

  return {
    /** What is in the field. */
    parts,
    /**
     * Whether the answer is of a question that was in the field, and nothing that is understood has
     * taken its place.
     */
    isStale: isAnswerStale,
    /** Writes the field, and applies what is new in it. */
    write,
    snapshot: (): Snapshot => ({ pasted: text(), timeline: playground.timeline(), field: field() }),
    /** Puts the page back to what it was, or would have been. */
    restore({ pasted, timeline, field }: Snapshot) {
      batch(() => {
        playground.setText(pasted);
        playground.update(timeline);
        setField(field);
      });
    },
    /**
     * Puts a model in place of everything: what is in the field then has been applied already.
     */
    load(model: Model) {
      playground.load(model);
      setField(loaded());
    },
  };
}

/** The parts of a text; it is read again when more kinds of texts can be read. */
function partsOf(text: string, _readers: number): Part[] {
  return text.trim() === "" ? [] : recognise(text);
}
