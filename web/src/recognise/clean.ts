/**
 * Taking away what terminals and chat programs add to a text, and remembering where everything
 * was.
 *
 * Gone are colour codes, control characters, byte order marks and characters of no width. Odd
 * blanks become blanks, odd line ends become line ends. Typographic quotes become straight ones
 * when the text has no straight ones: a chat program replaces all of them, a description that a
 * person wrote has both.
 */

export interface Clean {
  text: string;
  /** Where the character at this position was before. */
  origin(at: number): number;
}

const ESCAPES = "\\x1b\\[[0-9;?]*[ -/]*[@-~]|\\x1b\\][^\\x07\\x1b]*(?:\\x07|\\x1b\\\\)?";
const INVISIBLE =
  "[\\0-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x84\\x86-\\x9f\\xad\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2064\\ufeff]";
const NOISE = new RegExp(`${ESCAPES}|${INVISIBLE}`, "g");

export function clean(text: string): Clean {
  const cuts: Cut[] = [];
  let removed = 0;
  const rest = text.replace(NOISE, (noise, at: number) => {
    removed += noise.length;
    cuts.push({ at: at + noise.length - removed, removed });
    return "";
  });
  return { text: straight(rest), origin: (at) => at + removedBefore(cuts, at) };
}

/** Every replacement is as long as what it replaces. */
function straight(text: string): string {
  const spaced = text
    .replace(/\r(?=\n)|[\u00a0\u2000-\u200a\u202f\u205f\u3000]/g, " ")
    .replace(/[\r\u0085\u2028\u2029]/g, "\n");
  const doubled = spaced.includes('"') ? spaced : spaced.replace(/[\u201c-\u201f\u00ab\u00bb]/g, '"');
  return doubled.includes("'") ? doubled : doubled.replace(/[\u2018-\u201b]/g, "'");
}

/** After a cut at this position of the clean text, `removed` characters are gone in all. */
interface Cut {
  at: number;
  removed: number;
}

function removedBefore(cuts: Cut[], at: number): number {
  let low = 0;
  let high = cuts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cuts[middle]?.at ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return cuts[low - 1]?.removed ?? 0;
}
