/** Paste anything: what a text holds, and the same text without its secrets. */

export { loadYaml, whenYamlIsThere } from "../documents/library";
export type {
  Change,
  Client,
  Flag,
  Found,
  FoundCommand,
  FoundPasswords,
  FoundToken,
  Lock,
  Meaning,
  Operation,
  Part,
  PasswordChange,
  TokenStatus,
} from "./found";
export { recognise } from "./recognise";
export { withoutSecrets } from "./secrets";
