/** What a screen reader is told, besides what has the focus. */

let region: HTMLElement | undefined;
let waiting: { event: string; verdict: string } | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Milliseconds without a change before what is typed is answered aloud. */
const PAUSE = 700;

/**
 * Says what has happened, or the verdict that it led to; the page has one polite live region.
 *
 * What one event causes is said together, the verdict last, because a text that follows at once
 * would be read out in its place. What a button has done is said at once; what follows from keys is
 * said when no key has come for a while.
 */
export function announce(message: string, about: "event" | "typed" | "verdict" = "event"): void {
  const field = about === "typed" ? "event" : about;
  waiting = { event: "", verdict: "", ...waiting, [field]: message };
  clearTimeout(timer);
  if (about === "event") queueMicrotask(say);
  else timer = setTimeout(say, PAUSE);
}

function say(): void {
  clearTimeout(timer);
  const { event = "", verdict = "" } = waiting ?? {};
  const between = event === "" || verdict === "" ? "" : /[.?!]$/.test(event) ? " " : ". ";
  const message = `${event}${between}${verdict}`;
  waiting = undefined;
  if (message === "") return;
  region ??= announceIn(document.body);
  // A text that is the same as before would not be read again.
  region.textContent = region.textContent === message ? `${message}\u00a0` : message;
}

/** Puts the live region where it is heard: what is outside of an open dialog is not. */
export function announceIn(parent: HTMLElement): HTMLElement {
  region ??= makeRegion();
  parent.append(region);
  return region;
}

function makeRegion(): HTMLElement {
  const made = document.createElement("div");
  made.className = "visually-hidden";
  made.setAttribute("role", "status");
  made.id = "announcements";
  return made;
}
