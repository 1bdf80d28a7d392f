/**
 * A card as a picture: an SVG of texts and rectangles, without a script, a link or a font of its
 * own.
 *
 * Follows <https://www.w3.org/TR/SVG2/>. Lines are broken by an estimate of how wide letters are,
 * on the safe side; what has no room ends in an ellipsis.
 */

import { type Piece, pieces, type SharedCard, visible } from "./text";

const WIDTH = 1200;
const MARGIN = 64;
const SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif";
const MONO = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
const INK = "#1c1c1a";
const MUTED = "#5f5f58";

/** Ground and ink of each verdict, as on the page in light colours. */
const COLOURS: Record<SharedCard["tone"], [ground: string, ink: string]> = {
  allowed: ["#e5f3ea", "#176a3a"],
  denied: ["#fbe9e7", "#b02318"],
  partly: ["#fbf1dc", "#7f5300"],
  unsure: ["#fbf1dc", "#7f5300"],
  neutral: ["#f1f1ee", "#1c1c1a"],
};

interface Style {
  size: number;
  weight: number;
  fill: string;
  /** Of a line, in its own size. */
  leading: number;
  most: number;
}

const HEADLINE: Style = { size: 44, weight: 600, fill: INK, leading: 1.25, most: 6 };
const DETAIL: Style = { size: 26, weight: 400, fill: INK, leading: 1.4, most: 3 };
const COMMAND: Style = { size: 22, weight: 400, fill: INK, leading: 1.45, most: 6 };

export function picture(card: SharedCard): string {
  const [ground, ink] = COLOURS[card.tone];
  const word: Style = { size: 28, weight: 700, fill: ink, leading: 1.6, most: 1 };
  const blocks: [Piece[][], Style][] = [
    [[[{ text: card.word, isCode: false }]], word],
    [broken(pieces(card.headline), HEADLINE), HEADLINE],
    ...card.details.slice(0, 3).map((text): [Piece[][], Style] => [broken(pieces(text), DETAIL), DETAIL]),
    ...card.commands.slice(0, 2).map((text): [Piece[][], Style] => [broken(codeOf(text), COMMAND), COMMAND]),
  ];
  const texts: string[] = [];
  let bottom = MARGIN;
  for (const [lines, style] of blocks.filter(([lines]) => lines.flat().some(({ text }) => text !== ""))) {
    for (const line of lines) {
      bottom += style.size * style.leading;
      texts.push(drawn(line, style, bottom - style.size * 0.25));
    }
    bottom += style.size * 0.5;
  }
  const height = Math.ceil(Math.max(bottom + MARGIN + 20, 420));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>${escaped(visible(`${card.word} ${card.headline}`.trim().replaceAll("`", "")))}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="${ground}"/>`,
    `<rect width="12" height="${height}" fill="${ink}"/>`,
    ...texts,
    `<text x="${MARGIN}" y="${height - 36}" font-family="${SANS}" font-size="22" fill="${MUTED}">Scopegate playground</text>`,
    "</svg>",
    "",
  ].join("\n");
}

function codeOf(text: string): Piece[] {
  return [{ text: visible(text), isCode: true }];
}

function drawn(line: Piece[], { size, weight, fill }: Style, y: number): string {
  const spans = line.map(({ text, isCode }) => {
    const family = isCode ? ` font-family="${MONO}" font-size="${Math.round(size * 0.9)}"` : "";
    return `<tspan${family}>${escaped(text)}</tspan>`;
  });
  return `<text x="${MARGIN}" y="${y.toFixed(1)}" xml:space="preserve" font-family="${SANS}" font-size="${size}" font-weight="${weight}" fill="${fill}">${spans.join("")}</text>`;
}

/** Lines as long as the picture is wide; a word that is longer than a line is divided. */
function broken(all: Piece[], { size, most }: Style): Piece[][] {
  const room = Math.floor((WIDTH - 2 * MARGIN) / (size * 0.58));
  const lines: Piece[][] = [[]];
  let used = 0;
  for (const { text, isCode } of all) {
    for (const word of text.split(/(?<= )/)) {
      for (const part of chunks(word, room)) {
        const { length } = part;
        if (used > 0 && used + part.join("").trimEnd().length > room) {
          lines.push([]);
          used = 0;
        }
        lines.at(-1)?.push({ text: part.join(""), isCode });
        used += length;
      }
    }
  }
  return lines.length <= most ? lines : [...lines.slice(0, most - 1), [{ text: "…", isCode: false }]];
}

/** The letters of a word, in groups that fit into a line. */
function chunks(word: string, room: number): string[][] {
  const letters = [...word];
  const count = Math.ceil(letters.length / room);
  return Array.from({ length: count }, (_, index) => letters.slice(index * room, (index + 1) * room));
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
