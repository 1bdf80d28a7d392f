/** What a pasted token lists, in sentences: the answer where nothing is asked. */

import { date } from "../tokens";
import { type Circumstances, caveats } from "./caveats";
import { rightsOf, sentence } from "./words";

export function describedToken(circumstances: Circumstances): string[] {
  const { pastedToken } = circumstances;
  const against = caveats(circumstances, "").map(({ text }) => sentence(text));
  const rights = rightsOf(pastedToken.entries());
  const can = against.length === 0 ? "This token can" : "It lists the rights to";
  const listed = rights === "" ? "This token grants nothing." : `${can} ${rights}.`;
  return [...against, listed, ...endOf(pastedToken.decoded()?.claims?.exp, against.length === 0)];
}

function endOf(exp: unknown, isGood: boolean): string[] {
  return isGood && typeof exp === "number" ? [`Expires ${date(exp)}.`] : [];
}
