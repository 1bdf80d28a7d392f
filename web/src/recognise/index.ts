/** Paste anything: what a text holds, and the same text without its secrets. */

export { loadYaml, whenYamlIsThere } from "../documents/library";
export type { Change, Client, Found, Meaning, Operation, Part } from "./found";
export { recognise } from "./recognise";
export { withoutSecrets } from "./secrets";
