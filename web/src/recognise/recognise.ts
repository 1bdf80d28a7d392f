/**
 * Paste anything: which kinds of thing are in a text, where, and what was not understood.
 *
 * The text is read line by line. At each line the readers are asked in turn, the strictest first;
 * the one that recognises something says where it ends. Meaning is the engine's affair: scopes,
 * names, challenges, paths and documents are read by it alone.
 */

import { MAX_LENGTH } from "../documents/document";
import { endOfLine } from "../documents/extent";
import { readActions } from "./actions";
import { readChallenge } from "./challenge";
import { afterChanges } from "./changes";
import { type Clean, clean } from "./clean";
import { readCommand } from "./commands/command";
import { readCmdlet } from "./commands/powershell";
import { bracketDocuments, readBlockDocument } from "./document";
import { readError } from "./error";
import type { Found, Part } from "./found";
import { readBicep, readTerraform } from "./infrastructure";
import { readJwt } from "./jwt";
import { linked } from "./linked";
import { readMarkup } from "./markup";
import { merged } from "./merged";
import { readNames } from "./names";
import { withOutputs } from "./outputs";
import { onePart, type Reader, type Reading, unknown } from "./reading";
import { readScopeWords } from "./scopes";
import { readTable } from "./table";

export type { Change, Client, ErrorClass, Found, Operation, Part } from "./found";
export { withoutSecrets } from "./secrets";

const READERS: Reader[] = [
  readChallenge,
  readCommand,
  readCmdlet,
  readMarkup,
  readTerraform,
  readBicep,
  readTable,
  readActions,
  readError,
  readScopeWords,
  readJwt,
  readBlockDocument,
  readNames,
];

/** All that is in a text, in its order. */
export function recognise(text: string): Part[] {
  if (text.length > MAX_LENGTH) return tooLong(text);
  const { text: cleaned, origin } = clean(text);
  const current = afterChanges(cleaned);
  return linked(merged(withOutputs(current, readAll(current)))).map((part) => placed(part, origin));
}

function tooLong(text: string): Part[] {
  const refused = {
    message: "too large (over 4 MiB)",
    hint: "paste only the relevant part",
    position: MAX_LENGTH,
  };
  return onePart(0, text.length, unknown(refused)).parts;
}

function readAll(text: string): Part[] {
  const parts: Part[] = [];
  const { readWhole, readCut } = bracketDocuments();
  const readers = [readWhole, ...READERS, readCut];
  const word = /\S/g;
  for (let next = word.exec(text); next; next = word.exec(text)) {
    const reading = readOne(readers, text, next.index);
    parts.push(...reading.parts);
    word.lastIndex = Math.max(reading.to, next.index + 1);
  }
  return parts;
}

function readOne(readers: Reader[], text: string, at: number): Reading {
  for (const read of readers) {
    const reading = read(text, at);
    if (reading) return reading;
  }
  return onePart(at, endOfLine(text, at), NOTHING(at));
}

const NOTHING = (position: number): Found => ({
  kind: "unknown",
  message: "unknown format",
  hint: "paste an error, a command, a scope map, a token, a WWW-Authenticate header or scopes",
  position,
});

/** Back to the positions in the text as it was pasted. */
function placed({ from, to, found }: Part, origin: Clean["origin"]): Part {
  const end = to > from ? origin(to - 1) + 1 : origin(to);
  return { from: origin(from), to: end, found: foundAt(found, origin) };
}

function foundAt(found: Found, origin: Clean["origin"]): Found {
  if (found.kind === "scopeMap") return { ...found, at: found.at.map(origin) };
  if (found.kind === "unknown") return { ...found, position: origin(found.position) };
  if (found.kind !== "command" || !found.change) return found;
  return { ...found, change: { ...found.change, at: found.change.at.map(origin) } };
}
