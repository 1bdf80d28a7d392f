/**
 * The tokens of Terraform's language, as far as blocks need them.
 */

export interface Token {
  kind: "word" | "string" | "mark";
  text: string;
  from: number;
  to: number;
  /** Where the content begins: behind the quote of a string. */
  at: number;
  /** Whether a string has something to evaluate in it. */
  isTemplate: boolean;
}

/** The next token; comments are none. `null` at the end. */
export function nextToken(text: string, after: number): Token | null {
  const from = firstOf(text, after);
  if (from >= text.length) return null;
  const first = text.charAt(from);
  if (first === '"') return stringToken(text, from);
  if (text.startsWith("<<", from)) return token("word", text, from, endOfHeredoc(text, from));
  if (!/[\w.$-]/.test(first)) return token("mark", text, from, from + 1);
  let to = from + 1;
  while (to < text.length && /[\w.$-]/.test(text.charAt(to))) to++;
  return token("word", text, from, to);
}

function token(kind: "word" | "mark", text: string, from: number, to: number): Token {
  return { kind, text: text.slice(from, to), from, to, at: from, isTemplate: false };
}

/** Past blanks and comments. */
function firstOf(text: string, after: number): number {
  let at = after;
  for (;;) {
    const start = at;
    while (at < text.length && /\s/.test(text.charAt(at))) at++;
    if (text[at] === "#" || text.startsWith("//", at)) at = endOf(text, "\n", at);
    else if (text.startsWith("/*", at)) at = endOf(text, "*/", at + 2);
    if (at === start) return at;
  }
}

function endOf(text: string, mark: string, from: number): number {
  const end = text.indexOf(mark, from);
  return end < 0 ? text.length : end + mark.length;
}

/** A heredoc is a word like another: its content is not needed. */
function endOfHeredoc(text: string, from: number): number {
  const [opening, name] = /^<<-?(\w{1,80})[ \t]*\n/.exec(text.slice(from, from + 100)) ?? [];
  if (!opening || !name) return from + 2;
  for (let line = from + opening.length; line < text.length; ) {
    const end = endOf(text, "\n", line);
    if (text.slice(line, end).trim() === name) return line + text.slice(line, end).trimEnd().length;
    line = end;
  }
  return text.length;
}

/** A string ends with its line at the latest, unless something to evaluate in it does not. */
function stringToken(text: string, from: number): Token {
  let isTemplate = false;
  let depth = 0;
  let at = from + 1;
  for (; at < text.length; at++) {
    const here = text.charAt(at);
    if (depth === 0 && (here === '"' || here === "\n")) break;
    if (here === "\\") at++;
    else if (isOpening(text, at)) {
      isTemplate = true;
      depth++;
      at++;
    } else if (here === "{" && depth > 0) depth++;
    else if (here === "}" && depth > 0) depth--;
  }
  const content = text.slice(from + 1, at).replace(/\\(["\\])/g, "$1");
  const to = Math.min(at + (text[at] === '"' ? 1 : 0), text.length);
  return { kind: "string", text: content, from, to, at: from + 1, isTemplate };
}

/** `${` and `%{`; written twice, the sign is literal. */
function isOpening(text: string, at: number): boolean {
  const sign = text[at];
  return (sign === "$" || sign === "%") && text[at + 1] === "{" && text[at - 1] !== sign;
}
