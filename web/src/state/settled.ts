/**
 * A value as it was when it had not changed for a while: for what costs time, and what no key
 * waits for.
 */

import { type Accessor, createComputed, createSignal, on, onCleanup } from "solid-js";

/** Milliseconds without a change: more than between two keys of slow fingers. */
const SETTLED_AFTER = 300;

/** Null until there is one; and null at once, because what is gone is not shown any longer. */
export function createSettled<T>(source: Accessor<T | null>): Accessor<T | null> {
  const [settled, setSettled] = createSignal<T | null>(null);
  let later: ReturnType<typeof setTimeout> | undefined;
  createComputed(
    on(source, (value) => {
      clearTimeout(later);
      if (value === null) setSettled(null);
      else later = setTimeout(() => setSettled(() => value), SETTLED_AFTER);
    }),
  );
  onCleanup(() => clearTimeout(later));
  return settled;
}
