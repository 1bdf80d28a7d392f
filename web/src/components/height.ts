/**
 * A card that never gets smaller under one's hands: what is below it stays where it is,
 * whatever is asked next.
 */

import { createEffect, on, onCleanup } from "solid-js";

/**
 * Keeps the greatest height that the card has had, until `subject` is another one or the page
 * another width.
 */
export function keepHeight(card: HTMLElement, subject: () => unknown): void {
  let width = 0;
  const observer = new ResizeObserver(() => {
    const isOtherWidth = card.offsetWidth !== width;
    width = card.offsetWidth;
    card.style.minHeight = isOtherWidth ? "" : `${card.offsetHeight}px`;
  });
  observer.observe(card);
  onCleanup(() => observer.disconnect());
  createEffect(
    on(
      subject,
      () => {
        card.style.minHeight = "";
      },
      { defer: true },
    ),
  );
}
