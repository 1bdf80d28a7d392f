// What the engine answers to the cases that every host is asked, a line for each.

import { Refused } from "./engine.mjs";

/** The lines of a group, one behind the other. */
export function answers(engine, { map, cases }, authority) {
  const table = engine.load(map);
  const lines = cases.map(
    (test) => `${decided(engine, table, test)}\t${engine.admit(test, authority)}\n`,
  );
  engine.drop(table);
  return lines.join("");
}

function decided(engine, table, { scopes, settings }) {
  try {
    return engine.decide(table, scopes, settings).join("\t");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return `refused ${engine.describe(error)}`;
  }
}
