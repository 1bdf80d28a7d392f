/**
 * What one scope map gains and loses against another: as a comment in a review, in Markdown, and as
 * a check for CI.
 *
 * Follows <https://github.github.com/gfm/#tables-extension->: a bar ends a cell, in code too.
 */

import { visible } from "./text";

export interface Review {
  before: string;
  after: string;
  /** The heaviest first. */
  rows: { pattern: string; gained: string[]; lost: string[]; witness: string }[];
}

/** More are counted: a comment has a greatest length. */
const MAX_ROWS = 100;

export function forReview({ before, after, rows }: Review): string {
  const title = `**Scope map ${code(before)} → ${code(after)}**`;
  if (rows.length === 0) return `${title}\n\nNo difference: both grant exactly the same access.\n`;
  const more = rows.length - MAX_ROWS;
  return [
    title,
    "",
    "| Repositories | Added | Removed | Example |",
    "|---|---|---|---|",
    ...rows.slice(0, MAX_ROWS).map(({ pattern, gained, lost, witness }) => {
      const cells = [code(pattern), gained.map(code).join(" "), lost.map(code).join(" "), code(witness)];
      return `| ${cells.join(" | ")} |`;
    }),
    ...(more > 0 ? ["", `… and ${more.toLocaleString("en")} more`] : []),
    "",
  ].join("\n");
}

interface NamedMap {
  name: string;
  actions: readonly string[];
}

/** Fails for as long as the two maps do not grant the same. */
export function forCi(before: NamedMap, after: NamedMap): string {
  // In JSON a map is one line, which cannot be the one that ends the file.
  const file = (name: string, actions: readonly string[]) =>
    `cat > ${name} <<'END'\n${JSON.stringify({ actions })}\nEND`;
  return [
    `# Scope map ${visible(before.name)} → ${visible(after.name)}`,
    file("before.json", before.actions),
    file("after.json", after.actions),
    "scopegate diff before.json after.json",
    "",
  ].join("\n");
}

/** A name in a cell: a backtick would end the code, and a bar the cell. */
function code(text: string): string {
  return `\`${visible(text).replaceAll("`", "\ufffd").replaceAll("|", "\\|")}\``;
}
