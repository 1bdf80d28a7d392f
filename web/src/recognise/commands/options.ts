/**
 * The options of a command line and what is left without them.
 */

import type { Word } from "./words";

export interface Arguments {
  /** The values of each option; a switch has none. */
  options: Map<string, Word[]>;
  rest: Word[];
}

/**
 * As the clients written in Go read them: `takes` are the options that are followed by a value.
 */
export function readArguments(words: Word[], takes: ReadonlySet<string>): Arguments {
  const options = new Map<string, Word[]>();
  const rest: Word[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index];
    if (!word) break;
    const [name, value] = optionIn(word);
    if (name === null) rest.push(word);
    else if (value) add(options, name, value);
    else if (takes.has(name)) add(options, name, words[++index]);
    else add(options, name, undefined);
  }
  return { options, rest };
}

/** An option as `az` is given it. */
export interface GivenOption {
  name: string;
  from: number;
  values: Word[];
}

/**
 * As `az` reads them: an option takes all words up to the next one. Each time that it is given
 * counts for itself.
 */
export function readAzArguments(words: Word[]): { given: GivenOption[]; rest: Word[] } {
  const given: GivenOption[] = [];
  const rest: Word[] = [];
  let values = rest;
  for (const word of words) {
    const [name, value] = optionIn(word);
    if (name === null) values.push(word);
    else {
      values = value ? [value] : [];
      given.push({ name, from: word.from, values });
    }
  }
  return { given, rest };
}

/** `--name=value`, `--name`, `-n`. Editors for text make one long dash of two short ones. */
function optionIn(word: Word): [name: string | null, value: Word | null] {
  const text = word.text.replace(/^[\u2013\u2014](?=\w)/, "--");
  if (!/^--?[a-z]/i.test(text)) return [null, null];
  const sign = text.indexOf("=");
  if (sign < 0) return [text, null];
  const value = text.slice(sign + 1);
  return [text.slice(0, sign), { text: value, from: word.to - value.length, to: word.to }];
}

function add(options: Map<string, Word[]>, name: string, value: Word | undefined) {
  options.set(name, [...(options.get(name) ?? []), ...(value ? [value] : [])]);
}

/** The value of the first of these options that is given. */
export function optionOf({ options }: Arguments, ...names: string[]): Word | null {
  for (const name of names) {
    const value = options.get(name)?.[0];
    if (value) return value;
  }
  return null;
}
