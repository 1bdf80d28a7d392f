/**
 * The reader of YAML, which brings a library as large as the page, comes when the page has been shown: nobody has pasted anything by then.
 */

import { Refusal } from "./refusal";

type Read = typeof import("./yaml").readYaml;

let read: Read | undefined;

/** Until this is done, a text that is no JSON is refused. */
export const yamlIsThere: Promise<void> = import("./yaml").then((module) => {
  read = module.readYaml;
});

export const readYaml: Read = (text) => {
  if (!read) throw new Refusal("the reader of YAML is still on its way", 0);
  return read(text);
};
