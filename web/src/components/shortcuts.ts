/**
 * The keys of the whole page: `/` goes to the paste field; Control or Command with K open the
 * commands, with Z undo, and with Shift and Z or with Y redo.
 *
 * Left out: keys within a field, a menu or a dialog, which are their own.
 */

import { onCleanup, onMount } from "solid-js";

const IS_MAC = /Mac|iP/.test(navigator.platform);

/** The keys that open the commands, as they are written on the keyboard. */
export const PALETTE_KEYS = IS_MAC ? "⌘ K" : "Ctrl K";
export const UNDO_KEYS = IS_MAC ? "⌘ Z" : "Ctrl Z";
export const REDO_KEYS = IS_MAC ? "⇧ ⌘ Z" : "Ctrl Y";

export function onShortcuts(does: {
  paste: () => void;
  palette: () => void;
  undo: () => void;
  redo: () => void;
}): void {
  const listener = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing || event.altKey) return;
    const isWithCommand = IS_MAC ? event.metaKey : event.ctrlKey;
    if (isWithCommand && !event.shiftKey && event.key.toLowerCase() === "k") {
      // The browser's own search would open.
      event.preventDefault();
      if (!isInDialog()) does.palette();
    } else if (isWithCommand && /^[zy]$/i.test(event.key) && !isInDialog() && !isTyping(event)) {
      event.preventDefault();
      if (event.shiftKey || event.key.toLowerCase() === "y") does.redo();
      else does.undo();
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
