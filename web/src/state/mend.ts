/** What mends a finding of lint, where one change does: a rule to add, or the rule to remove. */

import type { Finding } from "../engine";

export interface Mend {
  name: string;
  /** The actions of the map afterwards. */
  actions: () => string[];
}

const ADDED: Record<string, string> = {
  pull_without_metadata_read: "metadata/read",
  push_without_pull: "content/read",
};

/**
 * Of the finding about the action at `index`, whose rule is on `pattern`. `texts` are the actions
 * as a set: with 500 rules each key asks for 200 lines.
 */
export function mend(
  finding: Finding,
  actions: readonly string[],
  texts: ReadonlySet<string>,
  index: number,
  pattern: string,
): Mend | null {
  const added = ADDED[finding.kind];
  if (added !== undefined) {
    const rule = `repositories/${pattern}/${added}`;
    return texts.has(rule) ? null : { name: `Add ${added}`, actions: () => actions.toSpliced(index + 1, 0, rule) };
  }
  const isUseless = finding.kind === "covered" || finding.kind === "redundant";
  return isUseless ? { name: "Remove rule", actions: () => actions.toSpliced(index, 1) } : null;
}
