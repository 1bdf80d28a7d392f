/**
 * Documents in JSON and YAML: where they begin and end in a pasted text. What they hold, `contents`
 * tells.
 */

import { readDocument } from "../documents/document";
import { endOfBlock, endOfBrackets, endOfLine } from "../documents/extent";
import { contents } from "./contents";
import { readErrorIn } from "./error";
import { lineAt, onePart, type Reader, type Reading, unknown } from "./reading";

/**
 * After this many unclosed brackets, no more are searched for: each search goes to the end of
 * the text.
 */
const MAX_UNCLOSED = 8;

/**
 * Readers of JSON and of YAML in brackets, for one text: one of what is whole, and one of what
 * only begins.
 */
export function bracketDocuments(): { readWhole: Reader; readCut: Reader } {
  let unclosed = 0;
  let cutAt = -1;
  const readWhole: Reader = (text, at) => {
    if (!/^[{[]\s*(?:["'{}[\]$\w]|$)/.test(text.slice(at, at + 100)) || unclosed >= MAX_UNCLOSED) return null;
    const to = endOfBrackets(text, at);
    if (to === null) {
      unclosed++;
      cutAt = at;
      return null;
    }
    return text.slice(to, endOfLine(text, to)).trim() === "" ? readPart(text, at, to) : null;
  };
  const readCut: Reader = (text, at) => (at === cutAt ? cut(text, at) : null);
  return { readWhole, readCut };
}

/** What is below the first line may be something else. */
function cut(text: string, at: number): Reading {
  const refused = { message: "missing closing bracket", hint: "the text looks cut off: paste all of it", position: at };
  return onePart(at, endOfLine(text, at), unknown(refused));
}

const FIELDS = [
  ...["actions", "name", "description", "properties", "id", "type", "location", "creationDate", "provisioningState"],
  ...["resourceGroup", "systemData", "scopeMapId", "status", "credentials", "passwords", "username"],
  ...["scopeMaps", "assertions", "catalog", "resources", "value", "errors", "repositories", "changeableAttributes"],
];
const FIRST_FIELD = new RegExp(`^(?:- )?(?:${FIELDS.join("|")}):(?:\\s|$)`);

/** YAML that begins with a field of a document that is known. */
export function readBlockDocument(text: string, at: number): Reading | null {
  if (!FIRST_FIELD.test(lineAt(text, at).slice(0, 100))) return null;
  const line = text.lastIndexOf("\n", at - 1) + 1;
  return readPart(text, at, endOfBlock(text, at), line);
}

/** YAML counts the blanks before its first field, so its text may begin before the part does. */
function readPart(text: string, from: number, to: number, start = from): Reading {
  const document = readDocument(text.slice(start, to), start);
  if (document.kind === "problem") return onePart(from, to, unknown({ ...document, hint: null }));
  const parts = contents(document, { from, to });
  return parts.length > 0 ? { parts, to } : unfamiliar(text, from, to);
}

/** A record of a log is no longer. */
const MAX_RECORD = 1 << 16;

/** Clients that log in JSON write their errors so. */
function unfamiliar(text: string, from: number, to: number): Reading {
  const message = "unrecognised JSON or YAML";
  const record = readErrorIn(text.slice(from, Math.min(to, from + MAX_RECORD)).replaceAll("\n", " "), from);
  return record ? { ...record, to } : onePart(from, to, unknown({ message, hint: null, position: from }));
}
