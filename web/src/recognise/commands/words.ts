/**
 * A line of a shell as words: quotes, escapes, lines that go on, and where one command ends and the
 * next begins.
 *
 * Nothing is expanded. `$(…)` inside a word is kept as it is; where a command may be, what it
 * holds is a command of its own.
 */

export interface Word {
  text: string;
  from: number;
  to: number;
}

export interface Line {
  /** The simple commands between `|`, `&&`, `;` and the like. */
  commands: Word[][];
  to: number;
}

/** Reads from `from` to the end of the line, which is a later one when lines go on. */
export function readLine(text: string, from: number): Line {
  const commands: Word[][] = [[]];
  let at = from;
  while (at < text.length && text[at] !== "\n") {
    const here = text.charAt(at);
    const joint = endOfJoint(text, at);
    if (joint > at) at = joint;
    else if (here === " " || here === "\t") at++;
    else if (here === "#" && at > from) at = endOfLine(text, at);
    else if (OPERATORS.includes(here)) at = operator(commands, at);
    else at = addWord(commands, text, at);
  }
  return { commands: commands.filter((words) => words.length > 0), to: at };
}

const OPERATORS = "|&;()`";

function operator(commands: Word[][], at: number): number {
  commands.push([]);
  return at + 1;
}

function addWord(commands: Word[][], text: string, at: number): number {
  const word = readWord(text, at);
  const opensCommand = /(?:^|=)"?\$\($/.test(word.text);
  commands.at(-1)?.push(word);
  if (opensCommand) commands.push([]);
  return word.to;
}

/**
 * Past a sign at the end of a line that makes it go on: `\` for Unix, a backtick for PowerShell,
 * `^` for Windows.
 */
function endOfJoint(text: string, at: number): number {
  const [joint = ""] = /^[\\`^][ \t]{0,9}\n/.exec(text.slice(at, at + 12)) ?? [];
  return at + joint.length;
}

function readWord(text: string, from: number): Word {
  let word = "";
  let at = from;
  while (at < text.length) {
    const here = text.charAt(at);
    const piece = pieceAt(text, at);
    if (piece) {
      word += piece.text;
      at = piece.to;
    } else if (/\s/.test(here) || OPERATORS.includes(here) || endOfJoint(text, at) > at) break;
    else {
      word += here;
      at++;
    }
    if (/(?:^|=)\$\($/.test(word)) break;
  }
  return { text: word, from, to: Math.max(at, from + 1) };
}

/** A quoted piece of a word, an escaped character, or a substitution inside a word. */
function pieceAt(text: string, at: number): { text: string; to: number } | null {
  const here = text.charAt(at);
  if (here === '"' || here === "'") return quotedAt(text, at, here);
  if (here === "\\" && text[at + 1] !== "\n" && /[\s"'\\$|&;()]/.test(text.charAt(at + 1))) {
    return { text: text.charAt(at + 1), to: at + 2 };
  }
  if (here !== "$" || text[at + 1] !== "(") return null;
  const isStart = at === 0 || /[\s=]/.test(text.charAt(at - 1));
  const end = isStart ? -1 : text.slice(at, at + MAX_SUBSTITUTION).indexOf(")");
  return end < 0 ? { text: "$(", to: at + 2 } : { text: text.slice(at, at + end + 1), to: at + end + 1 };
}

const MAX_SUBSTITUTION = 400;

/** An unclosed quote is literal. */
function quotedAt(text: string, at: number, quote: string): { text: string; to: number } {
  let end = at + 1;
  while (end < text.length && text[end] !== quote) end += text[end] === "\\" && quote === '"' ? 2 : 1;
  if (end >= text.length) return { text: quote, to: at + 1 };
  const content = text.slice(at + 1, end);
  return { text: quote === '"' ? content.replace(/\\(["\\$\n])/g, "$1") : content, to: end + 1 };
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}
