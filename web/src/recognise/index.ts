/** Paste anything: what a text holds, and the same text without its secrets. */

export { loadYaml, whenReaderIsThere } from "../documents/library";
export type {
  Change,
  Client,
  ErrorClass,
  Flag,
  Found,
  FoundCommand,
  FoundPasswords,
  FoundToken,
  Lock,
  Operation,
  Part,
  PasswordChange,
  TokenStatus,
} from "./found";
export { recognise } from "./recognise";
export { withoutSecrets } from "./secrets";
