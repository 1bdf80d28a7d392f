/**
 * Whether the page has one column. The order of what is in it is that of the document, for eyes
 * and for keys alike.
 */

import { createSignal, onCleanup } from "solid-js";

/** As in the styles, where the page gets its second column. */
const ONE_COLUMN = "(max-width: 959.98px)";

export function createNarrow(): () => boolean {
  const query = matchMedia(ONE_COLUMN);
  const [narrow, setNarrow] = createSignal(query.matches);
  const listener = () => setNarrow(query.matches);
  query.addEventListener("change", listener);
  onCleanup(() => query.removeEventListener("change", listener));
  return narrow;
}
