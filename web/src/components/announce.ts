/** What a screen reader is told, besides what has the focus. */

let region: HTMLElement | undefined;
let waiting: { event: string; verdict: string } | undefined;

/**
 * Says what has happened, or the verdict that it led to; the page has one polite live region.
 *
 * What one event causes is said together, the verdict last, because a text that follows at once
 * would be heard in place of the one before.
 */
export function announce(message: string, about: "event" | "verdict" = "event"): void {
  if (waiting === undefined) queueMicrotask(say);
  waiting = { event: "", verdict: "", ...waiting, [about]: message };
}

function say(): void {
  const message = [waiting?.event, waiting?.verdict].filter((text) => text).join(". ");
  waiting = undefined;
  region ??= makeRegion();
  // A text that is the same as before would not be read again.
  region.textContent = region.textContent === message ? `${message}\u00a0` : message;
}

function makeRegion(): HTMLElement {
  const made = document.createElement("div");
  made.className = "visually-hidden";
  made.setAttribute("role", "status");
  made.id = "announcements";
  document.body.append(made);
  return made;
}
