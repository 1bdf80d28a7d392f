/** Puts an example in place of the page; what was there before can be brought back. */

import { type Example, examples } from "../state/examples";
import type { Memory } from "../state/memory";
import type { Paste } from "../state/paste";
import { announce } from "./announce";

export function openExample(memory: Memory, paste: Paste, example: Example | undefined = examples[0]): void {
  if (!example) return;
  memory.replace(example.model());
  if (example.pasted) paste.write(example.pasted);
  announce(`Example loaded: ${example.name}`);
}
