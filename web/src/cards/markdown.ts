/**
 * A card as Markdown, for a chat or an issue, and as a message to the person who may change the
 * scope map.
 *
 * Follows <https://spec.commonmark.org/0.31.2/>: what is in a code span or a fenced block is not
 * read, so that names cannot make links, images, markup or mentions.
 */

import { pieces, type SharedCard, visible } from "./text";

export function forChat(card: SharedCard, link: string): string {
  const word = card.word === "" ? "" : `**${plain(card.word)}:** `;
  return joined([`${word}${line(card.headline)}`, ...card.details.map(line), ...commands(card), link]);
}

export function forOwner(card: SharedCard, link: string): string {
  const asks = card.commands.length > 0 ? askToRun(card.commands) : ["Could you please look at why?"];
  return joined([line(card.headline), ...asks, `Why, and what it changes: ${link}`]);
}

function askToRun(all: string[]): string[] {
  const names = [...new Set(all.join("\n").match(/\$[A-Z_]+|…/g) ?? [])];
  const missing = names.length > 0 ? [`Replace ${names.map((name) => `\`${name}\``).join(" and ")} first.`] : [];
  return ["Could you please run this?", fenced(all.join("\n")), ...missing];
}

function commands(card: SharedCard): string[] {
  return card.commands.length > 0 ? [fenced(card.commands.join("\n"))] : [];
}

function joined(parts: string[]): string {
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function line(sentence: string): string {
  return pieces(sentence)
    .map(({ text, isCode }) => (isCode ? `\`${text}\`` : plain(text)))
    .join("");
}

function plain(text: string): string {
  return text.replace(/[\\*_~[\]<>|#@]/g, "\\$&");
}

/** A block whose fence is longer than any in the text. */
function fenced(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = "`".repeat(longest + 1);
  return `${fence}\n${text.split("\n").map(visible).join("\n")}\n${fence}`;
}
