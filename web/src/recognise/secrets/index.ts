/**
 * A text without its secrets, for links and for what the browser keeps.
 *
 * Taken away are the values of passwords, of keys and of opaque tokens, and the signatures of JSON
 * Web Tokens, which say nothing that a reader wants and without which they cannot be used. The
 * place decides, whatever its content: there is a file for each family of places. In doubt a value
 * goes. Variables such as `$PASSWORD` stay, since they are no secrets. What terminals add to a text
 * goes too, or else a colour could hide a secret.
 *
 * Left out: a secret that nothing around it and nothing in it tells to be one.
 */

import { clean } from "../clean";
import { withoutEncoded } from "./encoded";
import { ASSIGNMENTS } from "./fields";
import { HEADERS } from "./headers";
import { withoutSecretData } from "./kubernetes";
import { COMMANDS } from "./options";
import { OUTPUTS } from "./outputs";
import { withoutSignatures } from "./tokens";

const RULES = [...HEADERS, ...COMMANDS, ...OUTPUTS, ...ASSIGNMENTS];

export function withoutSecrets(text: string): string {
  return withoutSignatures(clean(text).text, (rest) => {
    return withoutEncoded(inClear(rest), (decoded) => decoded !== inClear(decoded));
  });
}

/** Without what is not encoded. */
function inClear(text: string): string {
  return RULES.reduce((rest, secret) => rest.replace(secret, "$<before>…"), withoutSecretData(text));
}
