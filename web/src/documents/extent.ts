/**
 * Where a document inside a longer text ends, found without reading it.
 */

/** Just behind the bracket that closes the one at `from`; `null` when none does. */
export function endOfBrackets(text: string, from: number): number | null {
  let depth = 0;
  let before = "";
  for (let at = from; at < text.length; at++) {
    const here = text.charAt(at);
    if (here === " " || here === "\n" || here === "\t") continue;
    if (here === '"' || (here === "'" && "[{,:".includes(before))) at = endOfQuoted(text, at) - 1;
    else if (here === "{" || here === "[") depth++;
    else if ((here === "}" || here === "]") && --depth === 0) return at + 1;
    before = here;
  }
  return null;
}

/**
 * A string does not go on in the next line: one whose closing quote is missing must not take the
 * rest of the text.
 */
function endOfQuoted(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== text[from] && text[at] !== "\n") at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

/**
 * The end of the lines of a block of YAML: deeper than its first line, or items, comments and
 * fields as deep as that.
 */
export function endOfBlock(text: string, from: number): number {
  const indent = from - (text.lastIndexOf("\n", from - 1) + 1);
  let end = endOfLine(text, from);
  for (let line = end + 1; line < text.length; ) {
    const next = endOfLine(text, line);
    const content = firstWord(text, line, next);
    if (content < next) {
      if (!continues(text.slice(content, Math.min(next, content + 100)), content - line, indent)) break;
      end = next;
    }
    line = next + 1;
  }
  return end;
}

function continues(line: string, column: number, indent: number): boolean {
  if (column > indent) return true;
  return column === indent && /^(?:- |-$|#|["']?[a-z$][\w$-]*["']?:(?:\s|$))/.test(line);
}

function firstWord(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && (text[at] === " " || text[at] === "\t")) at++;
  return at;
}

/** The newline that ends the line, or the end of the text. */
export function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end;
}
