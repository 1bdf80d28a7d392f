/**
 * Where Terraform and Bicep begin in a text. What reads them is loaded when one of them does.
 *
 * Until then the text is a part that is not understood.
 */

import { endOfBrackets } from "../documents/extent";
import { late } from "../documents/library";
import { DESTROYED } from "./changes";
import { lineAt, onePart, type Reading, unknown } from "./reading";

const languages = late(() => import("./languages"));

export const loadLanguages = languages.load;

const BLOCK = new RegExp(
  `^(?:resource|data|provider|variable|output|module|locals|terraform|moved|import|${DESTROYED})\\s*(?:"[^"]*"\\s*){0,2}\\{`,
);

export function readTerraform(text: string, at: number): Reading | null {
  if (!BLOCK.test(lineAt(text, at).slice(0, 1000))) return null;
  const read = languages.get()?.readTerraform;
  return read ? read(text, at) : waiting("Terraform", at, endOfBrackets(text, text.indexOf("{", at)) ?? text.length);
}

/** Statements that no other language has. */
const STATEMENT =
  /^(?:param\s+\w+\s*[\w'[{(=]|using\s+'|var\s+\w+\s*=|resource\s+\w+\s+'|module\s+\w+\s+'|targetScope\s*=\s*'|metadata\s+\w+\s*=|@(?:\w+\.)?(?:description|secure|allowed|minLength|maxLength|minValue|maxValue|metadata|batchSize|export|sealed|discriminator)\()/;

export function readBicep(text: string, at: number): Reading | null {
  if (!STATEMENT.test(lineAt(text, at).slice(0, 400))) return null;
  const read = languages.get()?.readBicep;
  return read ? read(text, at) : waiting("Bicep", at, text.length);
}

function waiting(language: string, at: number, to: number): Reading {
  return onePart(at, to, unknown({ message: `loading the ${language} reader…`, hint: null, position: at }));
}
