/**
 * A text as it is after the changes that it shows: of a diff and of a plan what is removed is gone,
 * and what is added is there.
 *
 * Read are unified diffs, the blocks of `terraform plan`, fences of Markdown that are called
 * `diff`, and lines that are struck out. Every change is as long as what it replaces, so all places
 * stay. Left out: diffs that mark nothing at the beginning of a line.
 */

/**
 * A word as long as `resource`, for a block that a plan destroys. Terraform has no such word.
 */
export const DESTROYED = "destroys";

/**
 * Replaces what a plan leaves out because it does not change: as an item of a list, and as an
 * attribute.
 */
export const HIDDEN = "unchanged_hidden";

export function afterChanges(text: string): string {
  const struck = withoutStruckOut(text);
  if (!MARKED.test(struck)) return struck;
  const lines = struck.split("\n");
  for (let line = 0; line < lines.length; ) line = Math.max(line + 1, changeAt(lines, line));
  return lines.join("\n");
}

/** Whether a line may begin with the mark of a change. */
const MARKED = /^[ \t]{0,40}(?:[-+~!@]|<=|```diff|diff )/m;

const STRUCK_OUT = /(?<!~)~~(?!~)[^~\n]{1,1000}~~(?!~)|<(del|s|strike)>[^<\n]{0,1000}<\/\1>/g;

function withoutStruckOut(text: string): string {
  return withoutComments(text).replace(STRUCK_OUT, blank);
}

/** Comments as HTML and Markdown have them. */
function withoutComments(text: string): string {
  const pieces: string[] = [];
  let at = 0;
  for (let from = text.indexOf("<!--"); from >= 0; from = text.indexOf("<!--", at)) {
    const end = text.indexOf("-->", from);
    if (end < 0) break;
    pieces.push(text.slice(at, from), blank(text.slice(from, end + 3)));
    at = end + 3;
  }
  return pieces.join("") + text.slice(at);
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, " ");
}

const HUNK = /^(@@+) -\d+(?:,\d+)? .{0,100}?\1/;
const FILE = /^(?:diff --git |index [0-9a-f]{4,}\.\.|(?:new|deleted) file mode |similarity index )/;
const PLAN = /^(\s{0,40})(-\/\+|\+\/-|<=|[-+~!])(\s+)(?=(?:resource|data) ")/;
const LOOSE = /^\s{0,40}[-+]\s{0,20}["'`]?(?:repositories|gateway)\/\S/;

/** Applies the change that begins in this line, and gives the first line behind it. */
function changeAt(lines: string[], from: number): number {
  const line = lines[from] ?? "";
  const [hunk, marks] = HUNK.exec(line) ?? [];
  if (hunk && marks) {
    lines[from] = " ".repeat(hunk.length) + line.slice(hunk.length);
    return applyDiff(lines, from + 1, marks.length - 1);
  }
  if (/^```diff\s*$/.test(line)) return applyDiff(lines, from + 1, 1);
  if (PLAN.test(line)) return applyPlan(lines, from);
  if (LOOSE.test(line)) return applyLoose(lines, from);
  const isPair = line.startsWith("--- ") && (lines[from + 1] ?? "").startsWith("+++ ");
  if (isPair) lines[from + 1] = blank(lines[from + 1] ?? "");
  if (isPair || FILE.test(line)) lines[from] = blank(line);
  return from + 1;
}

/**
 * The lines of a hunk begin with as many marks as there are old versions. How many they are its
 * head says, and people cut them.
 */
function applyDiff(lines: string[], from: number, width: number): number {
  let at = from;
  for (; at < lines.length; at++) {
    const line = lines[at] ?? "";
    const marks = line.slice(0, width);
    if (line.trim() === "") continue;
    if (FILE.test(line) || /[^-+ \t\\!]/.test(marks)) return at;
    lines[at] = /[-\\]/.test(marks) ? blank(line) : " ".repeat(marks.length) + line.slice(width);
  }
  return at;
}

/** Items with a plus and items with a minus in one list are a diff without its head. */
function applyLoose(lines: string[], from: number): number {
  let to = from;
  while (LOOSE.test(lines[to] ?? "")) to++;
  const all = lines.slice(from, to);
  const isDiff = all.some((line) => /^\s*\+/.test(line));
  for (const [index, line] of all.entries()) {
    // An item of JSON with a minus before it is no item of YAML.
    const isRemoved = /^\s*-/.test(line) && (isDiff || /^\s*-\s*(["']).*\1,\s*$/.test(line) || /^\s*-\S/.test(line));
    if (isRemoved) lines[from + index] = blank(line);
  }
  return to;
}

/** A block of a plan goes on to the bracket below its first word. */
function applyPlan(lines: string[], from: number): number {
  const [whole = "", , mark = ""] = PLAN.exec(lines[from] ?? "") ?? [];
  const end = `${" ".repeat(whole.length)}}`;
  const isDestroyed = mark === "-";
  const first = (lines[from] ?? "").slice(whole.length);
  lines[from] = " ".repeat(whole.length) + (isDestroyed ? first.replace(/^resource/, DESTROYED) : first);
  let at = from + 1;
  for (; at < lines.length; at++) {
    const line = lines[at] ?? "";
    if (line.trimEnd() === end) return at + 1;
    if (PLAN.test(line)) return at;
    if (isDestroyed) lines[at] = unmarked(line).replace(/ -> null\s*$/, blank);
    else at = changeInPlan(lines, at);
  }
  return at;
}

const ITEM = /^(\s*)(-\/\+|\+\/-|<=|[-+~!])(?=\s)/;

/** Applies one line of a plan, and gives the last line of what it begins. */
function changeInPlan(lines: string[], at: number): number {
  const line = lines[at] ?? "";
  const [, , mark] = ITEM.exec(line) ?? [];
  if (mark !== "-") {
    lines[at] = hidden(mark === "~" || mark === "!" ? withNewValue(unmarked(line)) : unmarked(line));
    return at;
  }
  let open = 0;
  let last = at;
  do {
    open += bracketsIn(lines[last] ?? "");
    lines[last] = blank(lines[last] ?? "");
  } while (open > 0 && ++last < lines.length);
  return Math.min(last, lines.length - 1);
}

function unmarked(line: string): string {
  return line.replace(ITEM, blank);
}

/** How many more brackets a line opens than it closes. */
function bracketsIn(line: string): number {
  const outside = line.replace(/"(?:[^"\\]|\\.)*"/g, "");
  return (outside.match(/[[{(]/g)?.length ?? 0) - (outside.match(/[\]})]/g)?.length ?? 0);
}

const ARROW = /^(\s*(?:[\w.-]+\s*=\s*|"[^"]*"\s*[:=]\s*)?)((?:"(?:[^"\\]|\\.)*"|\([^)]*\)|[^\s"(]+) -> )/;

/** `old -> new` without the old. */
function withNewValue(line: string): string {
  return (
    line.slice(0, 20_000).replace(ARROW, (_, before: string, old: string) => before + blank(old)) + line.slice(20_000)
  );
}

/** What does not change is left out of a plan, and has to be taken for not known. */
function hidden(line: string): string {
  const [whole, what] = /# \(\d+ unchanged (elements?|attributes?) hidden\)/.exec(line) ?? [];
  if (!whole || !what) return line;
  const word = what.startsWith("element") ? HIDDEN : `${HIDDEN} = true`;
  return line.replace(whole, word.slice(0, whole.length).padEnd(whole.length));
}
