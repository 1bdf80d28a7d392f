/**
 * What the rules about secrets have in common: a place, and its content.
 *
 * A place decides alone: its content goes whatever it looks like. Left out are the few
 * contents that say of themselves that they are no secret: variables, placeholders, values that
 * were hidden already, and signed tokens, whose signature is gone by then.
 *
 * Each repetition has a bound, or cannot begin again within itself: a text of megabytes takes no
 * longer than its length.
 */

/**
 * Replaces a signed token, whose number is between these two; no text has such
 * characters.
 */
export const ASIDE = { from: "\ufdd0", to: "\ufdd1" };

/** What follows is no secret. */
export const NO_SECRET = String.raw`(?!\$|…|${ASIDE.from}|<|%\w+%|\{\{|\(ConvertTo|\((?:sensitive|known)|\*{3,}(?![^\s"',;}\]]))`;

/**
 * In single quotes a shell takes everything as it is; a quote among it is written in four
 * characters.
 */
const SINGLE = String.raw`(?<=')(?!…|${ASIDE.from}|\*{3,}')[^'\n]+(?:'\\''[^'\n]*)*`;
const DOUBLE = String.raw`(?<=")(?=[^"\n])[^"\\\n]*(?:\\.[^"\\\n]*)*`;

/** What follows an opening quote, or without quotes up to whatever ends a word. */
export function content(ends: string): string {
  return String.raw`(?:${SINGLE}|${NO_SECRET}(?:${DOUBLE}|(?<!["'])[^\s"'${ends}]+))`;
}
export const CONTENT = content("`,;|&)");

/**
 * A word that an option or a field is named by begins a line, or follows what cannot be a piece of
 * it, also where that is escaped.
 */
export const START = String.raw`(?:^|[\s"'${"`"}({[,?&#;|=]|\\[nrt]|%(?:0A|20|26|3F)|\$(?:env:)?)`;

/** Takes away the content of a place. */
export function rule(before: string, content: string): RegExp {
  return new RegExp(`(?<before>${before})${content}`, "gim");
}
