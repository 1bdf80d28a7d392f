/**
 * Texts with `{words}` in them, and what replaces them: in a path as it is, in a query
 * encoded.
 */

export type Words = Readonly<Record<string, string>>;

/** An example image: what it is made of does not matter to any scope. */
export const image: Words = {
  digest: `sha256:${"d1".repeat(32)}`,
  config: `sha256:${"c0".repeat(32)}`,
  layer: `sha256:${"1a".repeat(32)}`,
  upload: "2d3b4c5a-6f14-44d1-846a-28b96bd0bcc0",
};

export function fill(text: string, words: Words): string {
  return text.replaceAll(/\{([a-z]+)\}/g, (whole, word: string) => words[word] ?? whole);
}

/** A path with a query: what is in the query is encoded, as clients do. */
export function fillTarget(target: string, words: Words): string {
  const [path = "", query] = target.split("?");
  const filled = fill(path, words);
  if (query === undefined) return filled;
  const encoded = Object.entries(words).map(([word, value]) => [word, encodeURIComponent(value)]);
  return `${filled}?${fill(query, Object.fromEntries(encoded))}`;
}

export function mentions(text: string, word: string): boolean {
  return text.includes(`{${word}}`);
}
