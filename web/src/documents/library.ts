/**
 * The reader of YAML brings a library as large as the rest of the page, so it is loaded when the
 * first text needs it.
 *
 * That text is refused; listeners are called when it can be read again.
 */

import { Refusal } from "./refusal";

type Read = typeof import("./yaml").readYaml;

let read: Read | undefined;
let loading: Promise<void> | undefined;
const listeners: (() => void)[] = [];

export const readYaml: Read = (text) => {
  if (read) return read(text);
  // Without a network it does not come; the next text asks for it again.
  loadYaml().catch(() => {
    loading = undefined;
  });
  throw new Refusal("the reader of YAML is being loaded", 0);
};

/** Loads the reader, once. */
export function loadYaml(): Promise<void> {
  loading ??= import("./yaml").then((module) => {
    read = module.readYaml;
    for (const tell of listeners) tell();
  });
  return loading;
}

/** Tells `listener` when the reader has come. */
export function whenYamlIsThere(listener: () => void): void {
  listeners.push(listener);
}
