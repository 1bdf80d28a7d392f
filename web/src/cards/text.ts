/**
 * Texts of a card that leave the page. What a person pasted is in backticks, and may hold anything:
 * what would be invisible, turn the direction of a line or end it is replaced.
 */

/** What of an answer is sent to others. */
export interface SharedCard {
  tone: "allowed" | "denied" | "partly" | "unsure" | "neutral";
  word: string;
  headline: string;
  details: string[];
  /** What changes it, each a command or several lines of them. */
  commands: string[];
}

/** A piece of a sentence; names and commands are code. */
export interface Piece {
  text: string;
  isCode: boolean;
}

export function pieces(sentence: string): Piece[] {
  const all = sentence.split("`").map((text, index) => ({ text: visible(text), isCode: index % 2 === 1 }));
  return all.filter(({ text }) => text !== "");
}

/** One line in which every character is seen. */
export function visible(text: string): string {
  return text.replace(/\s/gu, " ").replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, "\ufffd");
}
