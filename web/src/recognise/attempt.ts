/** The engine's readers throw a problem for a text that they refuse; here it is a value. */

export interface Refused {
  kind: "refused";
  message: string;
  hint: string | null;
  position: number;
  /** Where in a document, when it is one. */
  path: string;
}

export function attempt<T>(read: () => T): { kind: "read"; value: T } | Refused {
  try {
    return { kind: "read", value: read() };
  } catch (problem) {
    return refusedBy(problem);
  }
}

/** The value, when the reasons against it do not matter. */
export function accepted<T>(read: () => T): T | null {
  const outcome = attempt(read);
  return outcome.kind === "read" ? outcome.value : null;
}

function refusedBy(problem: unknown): Refused {
  const fields: Partial<Refused> = typeof problem === "object" && problem !== null ? problem : {};
  const { message = "not understood", hint = null, position = 0, path = "" } = fields;
  return { kind: "refused", message, hint, position, path };
}
