/**
 * Parts that belong together: lines that say nothing, the lines of one error, an error and the
 * command that met it.
 */

import type { Found, FoundCommand, FoundError, Part } from "./found";

export function merged(parts: Part[]): Part[] {
  const result: Part[] = [];
  let command: FoundCommand | null = null;
  for (const part of parts) {
    if (part.found.kind === "command") command = part.found;
    const last = result[result.length - 1];
    const whole = last && last.found.kind === part.found.kind ? together(last.found, part.found) : null;
    if (last && whole) result[result.length - 1] = { from: last.from, to: part.to, found: whole };
    else result.push(part);
  }
  return command ? inContext(result) : result;
}

/** The two as one; `null` when they are two things. */
function together(first: Found, second: Found): Found | null {
  if (first.kind === "unknown" && second.kind === "unknown") return first.message === second.message ? first : null;
  if (first.kind === "error" && second.kind === "error") return oneError(first, second);
  return null;
}

/** An error that goes over several lines names the repository in one and the reason in another. */
function oneError(first: FoundError, second: FoundError): FoundError | null {
  const isOther = first.repository && second.repository && first.repository !== second.repository;
  const errorClass = first.errorClass === "unknown" ? second.errorClass : first.errorClass;
  if (isOther || (second.errorClass !== "unknown" && second.errorClass !== errorClass)) return null;
  return {
    kind: "error",
    text: `${first.text}\n${second.text}`,
    errorClass,
    registry: first.registry ?? second.registry,
    repository: first.repository ?? second.repository,
    required: first.required.length > 0 ? first.required : second.required,
  };
}

/** An error that names nothing is about what the command before it named. */
function inContext(parts: Part[]): Part[] {
  let command: FoundCommand | null = null;
  return parts.map((part) => {
    if (part.found.kind === "command") command = part.found;
    if (part.found.kind !== "error" || part.found.repository || !command) return part;
    return { ...part, found: about(part.found, command) };
  });
}

function about(error: FoundError, { reference, registry }: FoundCommand): FoundError {
  return {
    ...error,
    registry: error.registry ?? reference?.registry ?? registry,
    repository: reference?.repository ?? null,
  };
}
