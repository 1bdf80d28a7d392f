/**
 * JSON Web Tokens: the signature goes, and what the token says may stay, since it cannot be used
 * without.
 *
 * What is left of a token is set aside while the rules about places run, or else it would go with
 * them. It takes a header that says of itself that it is one: base64 of any JSON begins with `eyJ`,
 * and most of it is no token.
 */

import { ASIDE } from "./rule";

/** The rest of a piece of a token, which a terminal or an editor has broken into lines. */
const REST = String.raw`(?:[\s\\]{1,12}[\w-]{20,4000}){0,40}`;
/** What ends it: the last line may be short. */
const DOT = String.raw`(?:[ \t\\]{0,12}\n[ \t]{0,40}[\w-]{1,20})?[\s\\]{0,12}(?:\.|%2E)[\s\\]{0,12}`;
const FIRST_TWO = String.raw`eyJ[\w-]{7,4000}${REST}${DOT}[\w-]{1,8000}${REST}${DOT}`;

/**
 * The last line of a signature may be short, and is nothing else. What is encrypted has two parts
 * more.
 */
const SIGNED = new RegExp(
  String.raw`(?<before>(?<![\w-])[\w-]{0,200}?${FIRST_TWO})[\w-]+${REST}(?:(?<=[\w-]{20})[ \t\\]*\n[ \t]*[\w-]+(?=[ \t]*(?:\n|$)))?(?:\.[\w-]{1,100000}){0,2}`,
  "gim",
);
/** A token without its signature, or cut before it; as above, it may follow other letters. */
const UNSIGNED = new RegExp(
  String.raw`(?<before>(?<![\w-])[\w-]{0,200}?)(?<token>${FIRST_TWO}…|eyJ[\w-]{7,20000}(?:\.[\w-]{0,100000})?(?![\w.+/=-]))`,
  "g",
);

/** Takes the signatures away, does the rest, and puts the tokens back. */
export function withoutSignatures(text: string, rest: (text: string) => string): string {
  const tokens: string[] = [];
  const setAside = (whole: string, before: string, token: string) => {
    if (!isToken(token)) return whole;
    tokens.push(token);
    return before + ASIDE.from + String(tokens.length - 1) + ASIDE.to;
  };
  const unsigned = text.replace(/[\ufdd0\ufdd1]/g, "\ufffd").replace(SIGNED, "$<before>…");
  return rest(unsigned.replace(UNSIGNED, setAside)).replace(
    new RegExp(`${ASIDE.from}(\\d+)${ASIDE.to}`, "g"),
    (_, index) => tokens[Number(index)] ?? "",
  );
}

/** The names that RFC 7515 gives to the fields of a header. */
function isToken(text: string): boolean {
  const [header = ""] = /^(?:[\w-]|[\s\\]+(?=[\w-]))+/.exec(text) ?? [];
  const digits = header
    .replace(/[\s\\]/g, "")
    .replaceAll("-", "+")
    .replaceAll("_", "/");
  return /"(?:alg|typ|kid)"/.test(atob(digits.slice(0, digits.length - (digits.length % 4))));
}
