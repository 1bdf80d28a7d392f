/** The parts of a token as JSON that a person reads: what is in a list has a line of its own. */

export function written(part: object): string {
  const fields = Object.entries(part).flatMap(([name, value]) => {
    const text = valueText(value);
    return text === undefined ? [] : [`  ${JSON.stringify(name)}: ${text}`];
  });
  return fields.length === 0 ? "{}" : `{\n${fields.join(",\n")}\n}`;
}

function valueText(value: unknown): string | undefined {
  if (!Array.isArray(value) || value.length === 0) return JSON.stringify(value, null, 2)?.replaceAll("\n", "\n  ");
  return `[\n${value.map((item) => `    ${lineOf(item)}`).join(",\n")}\n  ]`;
}

/** Texts in JSON have no line breaks of their own, so these are all between its parts. */
function lineOf(value: unknown): string {
  return JSON.stringify(value, null, 1)?.replaceAll(/\n */g, " ") ?? "null";
}
