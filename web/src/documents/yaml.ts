/**
 * YAML 1.2 by the library `yaml`, with bounds: on aliases, on depth, and on the time that a map
 * with many fields takes.
 */

import { Composer, type CST, isMap, isNode, isScalar, isSeq, Lexer, type Node, Parser } from "yaml";
import { DEEPEST, type Place } from "./place";
import { Refusal } from "./refusal";

/** Aliases that may be followed, each counted as often as what it stands for holds others. */
const MOST_ALIASES = 100;

/**
 * The library compares each field with all others to find those that stand twice, so that is done
 * here.
 */
const OPTIONS = {
  uniqueKeys: false,
  prettyErrors: false,
  stringKeys: true,
  logLevel: "error",
} as const;

/** Reads a text that holds one YAML document. */
export function readYaml(text: string): { value: unknown; place: Place } {
  const [document, second] = new Composer(OPTIONS).compose(tokens(text), true, text.length);
  const error = document?.errors[0];
  if (error) throw new Refusal(plain(error.message), error.pos[0]);
  if (!document || second) throw new Refusal("more than one document", second?.range[0] ?? 0);
  const place = yamlPlace(document.contents, 0);
  try {
    return { value: document.toJS({ maxAliasCount: MOST_ALIASES }), place };
  } catch {
    throw new Refusal("too many aliases, or one that stands for nothing", place.from);
  }
}

/**
 * What the library's parser makes of the text, as long as that is not too deep.
 *
 * The library calls itself for each level. It catches the error when the stack is used up, but
 * where V8 compiles a regular expression just then, there is no error: the process ends, and with
 * it the page.
 */
function* tokens(text: string): Generator<CST.Token, void> {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    if (parser.stack.length > DEEPEST + 2) throw tooDeep(parser.offset);
  }
  yield* parser.end();
}

function tooDeep(position: number): Refusal {
  return new Refusal(`nested more than ${DEEPEST} levels deep`, position);
}

/**
 * The library writes for developers: a capital first letter, a full stop, advice about its own
 * options.
 */
function plain(message: string): string {
  const sentence = message.replace(/[.:]+$/, "");
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}

function yamlPlace(node: Node | null, depth: number): Place {
  const [from, to] = node?.range ?? [0, 0];
  if (depth > DEEPEST) throw tooDeep(from);
  return { from, to, children: childrenOf(node, depth + 1) };
}

function childrenOf(node: Node | null, depth: number): Place["children"] {
  if (isSeq(node)) return new Map(node.items.map((item, index) => [index, yamlPlace(nodeOf(item), depth)]));
  if (!isMap(node)) return null;
  const children: NonNullable<Place["children"]> = new Map();
  for (const { key, value } of node.items) {
    const field = isScalar(key) ? String(key.value) : "";
    const place = yamlPlace(nodeOf(value) ?? nodeOf(key), depth);
    if (children.has(field))
      throw new Refusal(`the field \`${field}\` stands twice`, nodeOf(key)?.range?.[0] ?? place.from);
    children.set(field, place);
  }
  return children;
}

function nodeOf(item: unknown): Node | null {
  return isNode(item) ? item : null;
}
