/** The files of a built page. */

import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";

/** The endings of what `compress` makes of other files. */
export const COMPRESSED = [".br", ".gz"];

/** Every file of a folder by its path in it, in order, without the compressed copies. */
export async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const names = files.map((file) => relative(folder, file));
  return names.filter((name) => !COMPRESSED.some((ending) => name.endsWith(ending))).sort();
}
