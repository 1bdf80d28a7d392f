/** Which of many choices are meant by what is typed. Left out: misspelt words. */

export interface Choice {
  readonly id: string;
  readonly name: string;
  /** What it does, in a sentence; it is searched, too. */
  readonly hint: string;
  readonly group: string;
  /** The keys that do the same. */
  readonly keys?: string;
}

/** Every word has to be somewhere in the name, the description or the group. */
export function matching<Item extends Choice>(choices: readonly Item[], query: string): Item[] {
  const words = query.toLowerCase().split(/\s+/);
  return choices.filter(({ name, hint, group }) => {
    const text = `${group} ${name} ${hint}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** What is meant most likely: a name itself, then what begins so or has it, then a description. */
export function best<Item extends Choice>(shown: Item[], query: string): Item | undefined {
  const text = query.trim().toLowerCase();
  const names = shown.map((item) => ({ item, name: item.name.toLowerCase() }));
  const found =
    names.find(({ name }) => name === text) ??
    names.find(({ name }) => name.startsWith(text)) ??
    names.find(({ name }) => name.includes(text));
  return found?.item ?? shown[0];
}
