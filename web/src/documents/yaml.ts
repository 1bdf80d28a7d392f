/**
 * YAML 1.2 by the library `yaml`, with bounds: on aliases, on depth, and on the time that a map
 * with many fields takes.
 */

import { Composer, type CST, isMap, isNode, isScalar, isSeq, Lexer, type Node, Parser } from "yaml";
import { Refusal } from "./refusal";
import { MAX_DEPTH, type SourceNode } from "./source-node";

/** Aliases that may be followed, each counted as often as its anchor holds others. */
const MAX_ALIASES = 100;

/**
 * The library compares each field with all others to find duplicates, so that is done
 * here.
 */
const OPTIONS = {
  uniqueKeys: false,
  prettyErrors: false,
  stringKeys: true,
  logLevel: "error",
} as const;

/** Reads a text that holds one YAML document. */
export function readYaml(text: string): { value: unknown; node: SourceNode } {
  const [document, second] = new Composer(OPTIONS).compose(tokens(text), true, text.length);
  const error = document?.errors[0];
  if (error) throw new Refusal(firstLine(error.message), error.pos[0]);
  if (!document || second) throw new Refusal("more than one document", second?.range[0] ?? 0);
  const source = sourceNode(document.contents, 0);
  try {
    return { value: document.toJS({ maxAliasCount: MAX_ALIASES }), node: source };
  } catch {
    throw new Refusal("too many aliases, or an undefined one", source.from);
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
    if (parser.stack.length > MAX_DEPTH + 2) throw tooDeep(parser.offset);
  }
  yield* parser.end();
}

function tooDeep(position: number): Refusal {
  return new Refusal(`nested more than ${MAX_DEPTH} levels deep`, position);
}

/**
 * The library writes for developers: a capital first letter, a full stop, advice about its own
 * options.
 */
function firstLine(message: string): string {
  const sentence = message.replace(/[.:]+$/, "");
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}

function sourceNode(node: Node | null, depth: number): SourceNode {
  const [from, to] = node?.range ?? [0, 0];
  if (depth > MAX_DEPTH) throw tooDeep(from);
  return { from, to, children: childrenOf(node, depth + 1) };
}

function childrenOf(node: Node | null, depth: number): SourceNode["children"] {
  if (isSeq(node)) return new Map(node.items.map((item, index) => [index, sourceNode(nodeOf(item), depth)]));
  if (!isMap(node)) return null;
  const children: NonNullable<SourceNode["children"]> = new Map();
  for (const { key, value } of node.items) {
    const field = isScalar(key) ? String(key.value) : "";
    const source = sourceNode(nodeOf(value) ?? nodeOf(key), depth);
    if (children.has(field)) throw new Refusal(`duplicate field \`${field}\``, nodeOf(key)?.range?.[0] ?? source.from);
    children.set(field, source);
  }
  return children;
}

function nodeOf(item: unknown): Node | null {
  return isNode(item) ? item : null;
}
