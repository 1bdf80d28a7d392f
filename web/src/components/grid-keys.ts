/** The keys that move within a grid, by the grid pattern of the ARIA practices. */

export interface Place {
  line: number;
  column: number;
}

/** How many lines a page is. */
const PAGE = 10;

/** Where a key leads, before that is bounded; null for a key that does not move. */
export function moved(
  { key, ctrlKey, metaKey }: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey">,
  { line, column }: Place,
  lines: number,
  columns: number,
): Place | null {
  const isFar = ctrlKey || metaKey;
  switch (key) {
    case "ArrowUp":
      return { line: line - 1, column };
    case "ArrowDown":
      return { line: line + 1, column };
    case "ArrowLeft":
      return { line, column: column - 1 };
    case "ArrowRight":
      return { line, column: column + 1 };
    case "Home":
      return { line: isFar ? 0 : line, column: 0 };
    case "End":
      return { line: isFar ? lines - 1 : line, column: columns - 1 };
    case "PageUp":
      return { line: line - PAGE, column };
    case "PageDown":
      return { line: line + PAGE, column };
    default:
      return null;
  }
}

export function clamp(value: number, length: number): number {
  return Math.max(0, Math.min(value, length - 1));
}
