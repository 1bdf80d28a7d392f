/** What a screen reader is told, besides what has the focus. */

let region: HTMLElement | undefined;

/** Says `message` once; the page has one polite live region. */
export function announce(message: string): void {
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
