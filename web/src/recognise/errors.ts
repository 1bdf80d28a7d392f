/**
 * The error body of a registry. Its details list what was missing, the action of each in an entry
 * of its own.
 */

import { classifyError } from "./classify-error";
import type { ErrorClass, Found, FoundError } from "./found";
import { isResource, stringOf } from "./resource";
import { scopesOf } from "./scopes";
import { withoutSecrets } from "./secrets";

const ABSENT = /^(?:NAME|TAG|MANIFEST|BLOB)_[A-Z_]*UNKNOWN$|^NOT_?FOUND$/;

export function errorsOf(errors: unknown[]): Found {
  const first = errors.find(isResource) ?? {};
  const code = stringOf(first.code) ?? "";
  const message = withoutSecrets(stringOf(first.message) ?? code.toLowerCase());
  const required = scopesOf(errors.filter(isResource).flatMap(({ detail }) => (Array.isArray(detail) ? detail : [])));
  if (code === "UNAUTHORIZED" || required.length > 0) return { kind: "unauthorized", message, required };
  return { ...NOTHING, text: message, errorClass: classifyError(message) ?? classifyCode(code) };
}

const NOTHING = {
  kind: "error",
  registry: null,
  repository: null,
  required: [],
} satisfies Partial<FoundError>;

function classifyCode(code: string): ErrorClass {
  if (code === "DENIED") return "denied";
  return ABSENT.test(code) ? "absent" : "unknown";
}
