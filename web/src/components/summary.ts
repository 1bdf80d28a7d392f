/** What was recognised, in a few words. */

import type { AssertionFile } from "../engine";
import type { ErrorClass, Found } from "../recognise";

export function summary(found: Found): { title: string; about: string } {
  switch (found.kind) {
    case "scopeMap":
      return { title: "scope map", about: `${named(found.map.name)}${count(found.map.actions.length, "action")}` };
    case "token":
      return { title: "token", about: `${named(found.name)}${found.scopeMap ? `of \`${found.scopeMap}\`` : ""}` };
    case "jwt":
      return { title: "signed token", about: "decoded here; its signature is not kept" };
    case "challenge":
      return { title: "challenge", about: found.challenges.map((one) => `\`${one.scope ?? one.realm}\``).join(" ") };
    case "unauthorized":
      return { title: "refusal", about: found.required.map((scope) => `\`${scope}\``).join(" ") || found.message };
    case "error":
      return { title: errors[found.errorClass], about: found.repository ? `\`${found.repository}\`` : "" };
    case "scopes":
      return { title: "scope", about: count(found.report.scopes.length, "resource") };
    case "command":
      return {
        title: `${found.client} ${found.operation.replaceAll("-", " ")}`,
        about: [found.reference ? `\`${found.reference.repository}\`` : "", outcomes[found.outcome ?? "done"]]
          .join(" ")
          .trim(),
      };
    case "assertions":
      return {
        title: "assertions",
        about: `${count(found.file.assertions.length, "assertion")}${elsewhere(found.file)}`,
      };
    case "lock":
      return { title: "attributes", about: found.lock.repository ? `\`${found.lock.repository}\`` : "" };
    case "passwords":
      return { title: "passwords", about: `${named(found.token)}${count(found.passwords.length, "password")}` };
    case "change":
      return { title: "change", about: named(found.change.scopeMap ?? found.change.token) };
    case "reference":
      return { title: "image", about: `\`${found.reference.repository}\`` };
    case "repositories":
      return { title: "repositories", about: count(found.names.length, "repository", "repositories") };
    case "unknown":
      return {
        title: "not understood",
        about: `at character ${found.position + 1}: ${found.message}${found.hint ? `; ${found.hint}` : ""}`,
      };
  }
}

const outcomes = { done: "", failed: "failed, and has done nothing", refused: "may have failed" };

/** The page cannot read files, and says which of them it does without. */
function elsewhere({ scopeMaps }: AssertionFile): string {
  const files = scopeMaps.filter((map) => typeof map === "string");
  if (files.length === 0) return "";
  return `; paste too what is in ${files.map((file) => `\`${file}\``).join(", ")}`;
}

const errors: Record<ErrorClass, string> = {
  denied: "access denied",
  locked: "locked",
  unauthenticated: "login refused",
  absent: "not found",
  unavailable: "not available",
  unreachable: "not reached",
  unknown: "error",
};

function named(name: string | null): string {
  return name ? `\`${name}\` ` : "";
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}
