/**
 * Actions of a scope map as people write them down: one or several a line, with bullets, quotes,
 * commas or nothing.
 *
 * A list in YAML is one of these forms. The reader only tells what is meant as an action; whether
 * it is one, the engine says.
 */

import { endOfLine } from "../documents/extent";
import type { Part } from "./found";
import { onePart, type Reading } from "./reading";

const ACTION =
  /^(?:(?:repositories|gateway)\/.|[^:/]+(?:\/[^:/]+)*\/(?:content|metadata|config|message)\/(?:read|write|delete)$)/;

/** What starts like an action, or ends like one. */
export function isAction(text: string): boolean {
  return ACTION.test(text);
}

interface Action {
  text: string;
  at: number;
}

export function readActions(text: string, at: number): Reading | null {
  const actions: Action[] = [];
  let to = at;
  for (let line = at; line < text.length; line = endOfLine(text, line) + 1) {
    const end = endOfLine(text, line);
    const found = actionsIn(text.slice(line, end), line);
    if (!found || (found.length === 0 && actions.length === 0)) break;
    for (const action of found) actions.push(action);
    if (found.length > 0) to = end;
  }
  return actions.length > 0 ? onePart(at, to, scopeMap(actions)) : null;
}

function scopeMap(actions: Action[]): Part["found"] {
  const written = actions.map(({ text }) => text);
  return {
    kind: "scopeMap",
    form: "lines",
    map: { name: null, description: "", registry: null, actions: written, path: "" },
    at: actions.map((action) => action.at),
  };
}

/**
 * Lines that begin so are not meant as rules: those of SQL, of INI files and of
 * Windows.
 */
const COMMENT = /^\s*(?:;|--\s|rem\s|<!--)/i;

/** The actions of a line that holds nothing else; none for an empty line or a comment. */
function actionsIn(line: string, from: number): Action[] | null {
  if (COMMENT.test(line)) return [];
  const actions: Action[] = [];
  let isBullet = false;
  const words = /[^\s"'`,;]+/g;
  for (let word = words.exec(line); word; word = words.exec(line)) {
    const [text] = word;
    if (/^(?:#|\/\/)/.test(text)) break;
    if (isAction(text)) actions.push({ text, at: from + word.index });
    else if (actions.length > 0 || !/^[-*•+]$/.test(text)) return null;
    else isBullet = true;
  }
  return isBullet && actions.length === 0 ? null : actions;
}
