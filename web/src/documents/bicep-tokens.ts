/**
 * The tokens of Bicep. Lines count, so an end of line is a token too.
 */

export interface Token {
  kind: "word" | "number" | "text" | "mark" | "line" | "end";
  /** Of a text what is written between its quotes. */
  text: string;
  from: number;
  to: number;
}

/** Two signs that are one mark. */
const DOUBLE = new Set(["==", "!=", "<=", ">=", "&&", "||", "??", "=~", "!~", "=>", "::", ".?"]);

export function nextToken(text: string, after: number): Token {
  const from = endOfBlanks(text, after);
  if (from >= text.length) return token("end", text, text.length, text.length);
  const first = text.charAt(from);
  if (first === "\n") return token("line", text, from, from + 1);
  if (first === "'") return textToken(text, from);
  if (/[A-Za-z_]/.test(first)) return token("word", text, from, endOf(text, from, /\w/));
  if (/\d/.test(first)) return token("number", text, from, endOf(text, from, /\d/));
  if (text.startsWith("...", from)) return token("mark", text, from, from + 3);
  return token("mark", text, from, from + (DOUBLE.has(text.slice(from, from + 2)) ? 2 : 1));
}

function token(kind: Token["kind"], text: string, from: number, to: number): Token {
  return { kind, text: text.slice(from, to), from, to };
}

function endOf(text: string, from: number, sign: RegExp): number {
  let to = from + 1;
  while (to < text.length && sign.test(text.charAt(to))) to++;
  return to;
}

/** Past blanks and comments. A comment that nothing closes goes to the end. */
function endOfBlanks(text: string, after: number): number {
  let at = after;
  for (;;) {
    const start = at;
    while (at < text.length && /[ \t\r]/.test(text.charAt(at))) at++;
    if (text.startsWith("//", at)) at = endOfComment(text, "\n", at);
    else if (text.startsWith("/*", at)) at = endOfComment(text, "*/", at + 2) + 2;
    else if (text[at] === "#" && text.startsWith("#disable", at)) at = endOfComment(text, "\n", at);
    if (at === start) return at;
  }
}

function endOfComment(text: string, mark: string, from: number): number {
  const end = text.indexOf(mark, from);
  return end < 0 ? text.length : end;
}

/** A text ends with its line at the latest, unless it has three quotes. */
function textToken(text: string, from: number): Token {
  if (text.startsWith("'''", from)) {
    const end = text.indexOf("'''", from + 3);
    const to = end < 0 ? text.length : end;
    return { kind: "text", text: text.slice(from + 3, to), from, to: Math.min(to + 3, text.length) };
  }
  let at = from + 1;
  let depth = 0;
  for (; at < text.length && text[at] !== "\n"; at++) {
    if (text[at] === "\\") at++;
    else if (text.startsWith("${", at)) depth++;
    else if (text[at] === "}" && depth > 0) depth--;
    else if (text[at] === "'" && depth === 0) break;
  }
  return { kind: "text", text: text.slice(from + 1, at), from, to: Math.min(at + 1, text.length) };
}
