/**
 * What the engine says of each action of a map, asked once for each text: of 500 rules a key
 * changes one.
 */

import { type RuleReport, readRules } from "../engine";

/** Reads lists of actions; what is in none of them any more is forgotten. */
export function createReports(): (lists: readonly string[][]) => RuleReport[][] {
  let known = new Map<string, RuleReport>();
  return (lists) => {
    const texts = new Set(lists.flat());
    const unread = [...texts].filter((text) => !known.has(text));
    const read = readRules(unread);
    const reports = new Map(unread.map((text, index) => [text, read[index]]));
    known = new Map([...texts].flatMap((text) => entry(text, known.get(text) ?? reports.get(text))));
    return lists.map((list) => list.flatMap((text) => known.get(text) ?? []));
  };
}

function entry(text: string, report: RuleReport | undefined): [string, RuleReport][] {
  return report ? [[text, report]] : [];
}
