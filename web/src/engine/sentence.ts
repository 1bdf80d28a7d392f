/** Messages are lower case and without a full stop; the page shows them as sentences. */

/** A text with a capital letter, and a full stop where nothing else ends it. */
export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?!…]$/.test(text) ? "" : "."}`;
}

/** What is wrong, and what would be right. */
export function problemText({ message, hint }: { message: string; hint?: string | null }): string {
  return hint ? `${sentence(message)} ${sentence(hint)}` : sentence(message);
}
