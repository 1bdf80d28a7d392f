/** What was recognised, in a few words. */

import { type AssertionFile, problemText } from "../engine";
import type { ErrorClass, Found } from "../recognise";

export function summary(found: Found): { title: string; about: string } {
  switch (found.kind) {
    case "scopeMap":
      return { title: "Scope map", about: listed(named(found.map.name), count(found.map.actions.length, "rule")) };
    case "token":
      return {
        title: "Token",
        about: listed(named(found.name), found.scopeMap === null ? "" : `scope map \`${found.scopeMap}\``),
      };
    case "jwt":
      return { title: "Signed token", about: "decoded here; its signature is discarded" };
    case "challenge":
      return {
        title: "WWW-Authenticate header",
        about: found.challenges
          .map(({ scope, realm }) => (scope ? `requests \`${scope}\`` : `\`${realm}\``))
          .join(", "),
      };
    case "unauthorized":
      return {
        title: "401 response",
        about:
          found.required.length > 0
            ? `needs ${found.required.map((scope) => `\`${scope}\``).join(" ")}`
            : found.message,
      };
    case "error":
      return { title: errors[found.errorClass], about: named(found.repository) };
    case "scopes":
      return { title: count(found.report.scopes.length, "scope"), about: "" };
    case "command":
      return {
        title: `${found.client} ${found.operation.replaceAll("-", " ")}`,
        about: listed(named(found.reference?.repository ?? null), outcomes[found.outcome ?? "done"]),
      };
    case "assertions":
      return assertions(found.file);
    case "lock":
      return { title: "Attributes", about: named(found.lock.repository) };
    case "passwords":
      return { title: count(found.passwords.length, "password"), about: named(found.token) };
    case "change":
      return { title: "Change", about: named(found.change.scopeMap ?? found.change.token) };
    case "reference":
      return { title: "Image", about: named(found.reference.repository) };
    case "repositories":
      return { title: count(found.names.length, "repository", "repositories"), about: "" };
    case "unknown":
      return { title: `Not recognised at character ${found.position + 1}.`, about: problemText(found) };
  }
}

const outcomes = { done: "", failed: "failed, and changed nothing", refused: "may have failed" };

/** The page cannot read files, and says which of them it does without. */
function assertions({ assertions, scopeMaps }: AssertionFile): { title: string; about: string } {
  const title = count(assertions.length, "assertion");
  const files = scopeMaps.filter((map) => typeof map === "string");
  if (files.length === 0) return { title, about: "" };
  return { title: `${title}.`, about: `Also paste the contents of ${files.map(named).join(", ")}.` };
}

const errors: Record<ErrorClass, string> = {
  denied: "Access denied",
  locked: "Locked",
  unauthenticated: "Login failed",
  absent: "Not found",
  unavailable: "Registry unavailable",
  unreachable: "Registry unreachable",
  unknown: "Error",
};

function listed(...parts: string[]): string {
  return parts.filter((part) => part !== "").join(", ");
}

function named(name: string | null | undefined): string {
  return name ? `\`${name}\`` : "";
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}
