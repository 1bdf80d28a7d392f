/**
 * Readers that are loaded when the first text needs them: that of YAML brings a library as large as
 * the rest of the page, and few texts are in Bicep or Terraform.
 *
 * That text is not read at first; listeners are called when it can be read again.
 */

import { Refusal } from "./refusal";

const listeners: (() => void)[] = [];

/** Calls `listener` each time when a reader was loaded. */
export function whenReaderIsThere(listener: () => void): void {
  listeners.push(listener);
}

export interface Late<T> {
  /** What was loaded; undefined until then, and it is being loaded. */
  get(): T | undefined;
  /** Loads it, once. */
  load(): Promise<void>;
}

export function late<T>(fetch: () => Promise<T>): Late<T> {
  let value: T | undefined;
  let loading: Promise<void> | undefined;
  const load = () => {
    loading ??= fetch().then((loaded) => {
      value = loaded;
      for (const listener of listeners) listener();
    });
    return loading;
  };
  return {
    load,
    get() {
      // Without a network it is not loaded; the next text asks for it again.
      if (value === undefined) {
        load().catch(() => {
          loading = undefined;
        });
      }
      return value;
    },
  };
}

type Read = typeof import("./yaml").readYaml;

const yaml = late(async () => (await import("./yaml")).readYaml);

export const loadYaml = yaml.load;

export const readYaml: Read = (text) => {
  const read = yaml.get();
  if (!read) throw new Refusal("loading the YAML reader…", 0);
  return read(text);
};
