/**
 * What is known of the token that logs in, from what `az` printed of it or did to it, and the state
 * that this makes.
 *
 * What is not known stays open: a status or a date behind a variable is neither good nor
 * bad.
 */

import type { PasswordChange } from "../recognise";
import { blank, type Password, type TokenFacts, type TokenSettings } from "./model";
import { isNameOf } from "./registry";

/** A token of which nothing is known. */
export const NOTHING_KNOWN: Pick<TokenSettings, "scopeMap" | "registry" | "state" | "facts"> = {
  scopeMap: "",
  registry: "",
  state: "enabled",
  facts: undefined,
};

/** Whether anything was said of the token on the page. */
export function isKnown({ name, scopeMap, registry, facts }: TokenSettings): boolean {
  return name !== blank().token.name || scopeMap !== "" || registry !== "" || facts !== undefined;
}

/** Whether the token on the page is the one of this name, in this registry if it has one. */
export function isSameToken(token: TokenSettings, name: string, registry: string): boolean {
  const isHere = token.registry === "" || registry === "" || isNameOf(token.registry, registry);
  return isHere && token.name.toLowerCase() === name.toLowerCase();
}

export function stateOf({ status, passwords }: TokenFacts, now: number): TokenSettings["state"] {
  if (status === "disabled") return "disabled";
  // With no password at all a login is refused, too.
  if (passwords?.every((password) => validity(password, now) === "over")) return "password-expired";
  const isOpen = passwords !== null && !passwords.some((password) => validity(password, now) === "valid");
  return status === "unknown" || isOpen ? "unknown" : "enabled";
}

function validity({ expiry }: Password, now: number): "valid" | "over" | "unknown" {
  if (expiry === null) return "valid";
  const end = Date.parse(expiry);
  if (Number.isNaN(end)) return "unknown";
  return end <= now ? "over" : "valid";
}

/** A password that may be there or not. */
const UNKNOWN = "unknown";

/**
 * The passwords after a change; of a token whose passwords were not listed, the others stay open.
 */
export function changed(passwords: Password[] | null, { made, expiry, deleted }: PasswordChange): Password[] {
  const before = passwords ?? ["password1", "password2"].map((name) => ({ name, expiry: UNKNOWN }));
  const kept = before.filter(({ name }) => !made.includes(name) && !deleted.includes(name));
  return [...kept, ...made.map((name) => ({ name, expiry }))];
}
