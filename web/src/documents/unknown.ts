/** What replaces values that do not follow from a text. */

/** A value that does not follow from the text. */
export const UNKNOWN = Symbol("unknown");

/** Replaces an unknown piece of a text. No text has it: it is not a character of Unicode. */
export const HOLE = "\uffff";
