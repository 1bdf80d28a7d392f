/**
 * Draws the PNG icons from `public/icon.svg`: `node build/icons.mjs`, after the drawing has
 * changed.
 *
 * The result is kept with the sources, so that a build needs no browser. The browser's own PNG
 * would be five times as large, because it does not know that the drawing has few colours.
 */

import { readFile, writeFile } from "node:fs/promises";
import { crc32, deflateSync } from "node:zlib";

import { chromium } from "playwright-core";

const SIZES = [192, 512];
const SIGNATURE = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");

const folder = new URL("../public/", import.meta.url);
const drawing = await readFile(new URL("icon.svg", folder), "utf8");
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const page = await browser.newPage();
for (const size of SIZES) {
  const colours = await page.evaluate(draw, { drawing, size });
  await writeFile(new URL(`icon-${size}.png`, folder), png(size, colours));
}
await browser.close();

/**
 * In the browser: the colour of each pixel, as red, green and blue in one number. Six bits of each
 * are kept, which the drawing's own colours need; at its edges the difference is not visible.
 *
 * @param {{ drawing: string, size: number }} what
 */
async function draw({ drawing, size }) {
  const image = new Image(size, size);
  image.src = `data:image/svg+xml,${encodeURIComponent(drawing)}`;
  await image.decode();
  const context = new OffscreenCanvas(size, size).getContext("2d");
  if (context === null) throw new Error("this browser cannot draw");
  context.drawImage(image, 0, 0, size, size);
  const pixels = new DataView(context.getImageData(0, 0, size, size).data.buffer);
  return Array.from({ length: size * size }, (_, index) => (pixels.getUint32(4 * index) >>> 8) & 0xfcfcfc);
}

/**
 * An image with a palette, as https://www.w3.org/TR/png-3/ says.
 *
 * @param {number} size
 * @param {number[]} colours
 */
function png(size, colours) {
  const palette = [...new Set(colours)].sort((a, b) => a - b);
  if (palette.length > 256) throw new Error(`${palette.length} colours are too many for a palette`);
  const rows = Array.from({ length: size }, (_, row) => {
    const pixels = colours.slice(row * size, (row + 1) * size);
    return Buffer.from([0, ...pixels.map((colour) => palette.indexOf(colour))]);
  });
  const header = Buffer.from([0, 0, size >> 8, size & 255, 0, 0, size >> 8, size & 255, 8, 3, 0, 0, 0]);
  const colourBytes = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  const pixels = deflateSync(Buffer.concat(rows), { level: 9 });
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("PLTE", colourBytes),
    chunk("IDAT", pixels),
    chunk("IEND"),
  ]);
}

/** @param {string} type */
function chunk(type, data = Buffer.alloc(0)) {
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
