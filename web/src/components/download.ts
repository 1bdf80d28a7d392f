/** Saves a text as a file, and says so. */

import { announce } from "./announce";

export function download(text: string, name: string, type: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
  announce(`Downloaded ${name}.`);
}
