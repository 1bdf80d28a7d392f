/** A card that does not get smaller at once: what is below it holds still while one types. */

import { createEffect, on, onCleanup } from "solid-js";

/** Milliseconds for which the height is held: a hole that stays is worse than a move. */
const HELD = 1000;

/**
 * Holds the greatest height that the card has had, until `content` has not changed for a moment,
 * `subject` is another one, or the page another width.
 */
export function keepHeight(card: HTMLElement, content: () => unknown, subject: () => unknown): void {
  let width = 0;
  let later: ReturnType<typeof setTimeout> | undefined;
  const release = () => {
    card.style.minHeight = "";
  };
  const hold = () => {
    card.style.minHeight = `${card.offsetHeight}px`;
  };
  const observer = new ResizeObserver(() => {
    const isOtherWidth = card.offsetWidth !== width;
    width = card.offsetWidth;
    if (isOtherWidth) release();
    else hold();
  });
  const wait = () => {
    clearTimeout(later);
    later = setTimeout(() => {
      release();
      hold();
    }, HELD);
  };
  observer.observe(card);
  onCleanup(() => {
    observer.disconnect();
    clearTimeout(later);
  });
  createEffect(on(content, wait, { defer: true }));
  createEffect(on(subject, release, { defer: true }));
}
