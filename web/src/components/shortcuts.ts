/**
 * The keys of the whole page: `/` goes to the paste field, Control or Command and K open the
 * commands.
 *
 * Left out: keys within a field, a menu or a dialog, which are their own.
 */

import { onCleanup, onMount } from "solid-js";

const IS_MAC = /Mac|iP/.test(navigator.platform);

/** The keys that open the commands, as they are written on the keyboard. */
export const PALETTE_KEYS = IS_MAC ? "⌘ K" : "Ctrl K";

export function onShortcuts(does: { paste: () => void; palette: () => void }): void {
  const listener = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing || event.altKey) return;
    const isWithCommand = IS_MAC ? event.metaKey : event.ctrlKey;
    if (isWithCommand && !event.shiftKey && event.key.toLowerCase() === "k") {
      // The browser's own search would open.
      event.preventDefault();
      if (!isInDialog()) does.palette();
    } else if (event.key === "/" && !event.ctrlKey && !event.metaKey && !isInDialog() && !isTyping(event)) {
      event.preventDefault();
      does.paste();
    }
  };
  onMount(() => document.addEventListener("keydown", listener));
  onCleanup(() => document.removeEventListener("keydown", listener));
}

function isInDialog(): boolean {
  return document.querySelector("dialog[open]") !== null;
}

/** The editor is in a tree of its own, whose fields an event names only in its path. */
function isTyping(event: KeyboardEvent): boolean {
  const [target] = event.composedPath();
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches("input:not([type=radio], [type=checkbox]), textarea, select");
}
