/**
 * What commands print that were asked for a password: a table, a value alone, a text that was
 * decoded.
 */

import { NO_SECRET, rule } from "./rule";

/** A line of one word, and not the prompt of the next command. */
const WORD = String.raw`${NO_SECRET}(?![#>{["']|\/subscriptions\/)[^\s…]{12,}(?=[ \t]*(?:\n|$))`;

/** How tools are asked to print a value as it is. */
const RAW = String.raw`(?:(?:-o|--output)[ =]["']?(?:tsv|jsonpath|go-template)|-raw\b|-field[ =]|get-login-password|print-access-token)`;

export const OUTPUTS = [
  // A table with such a column, and its first rows.
  rule(
    String.raw`^[^\n]{0,400}(?:password|secret|value)[^\n]{0,400}\n(?:-{2,200}[ \t]{1,40}){0,20}-{2,200}[ \t]{0,40}\n`,
    String.raw`(?!…)\S[^\n]*(?:\n(?![$#>]|PS |az |docker )\S[^\n]*){0,3}`,
  ),
  rule(
    String.raw`\b(?:az|kubectl|oc|terraform|tofu|aws|gcloud|vault)[ \t](?=[^\n]{0,400}(?:credential|token|passw|secret|for-rbac))[^\n]{0,400}?[ \t]${RAW}[^\n]{0,200}\n`,
    WORD,
  ),
  // The same in quotes.
  rule(
    String.raw`\b(?:az|terraform|tofu)[ \t][^\n]{0,400}(?:--query|output)[ =][^\n]{0,200}(?:passw|secret|value|accesstoken|refreshtoken)[^\n]{0,200}\n"`,
    String.raw`(?!…|\/subscriptions\/)[^"\n]{8,}(?="[ \t]*(?:\n|$))`,
  ),
  rule(
    String.raw`^[^\n]{0,2000}\bbase64[ \t]{1,9}(?:-d|--decode)(?![\w-])[^\n]{0,200}\n`,
    String.raw`${NO_SECRET}(?![#>{["'])[^\s…]{4,}(?=[ \t]*(?:\n|$))`,
  ),
  // What a pipeline is told to hide.
  rule(
    String.raw`##vso\[task\.setvariable (?=[^\]\n]{0,200}(?:issecret=true|passw|secret|token))[^\]\n]{0,200}\]`,
    String.raw`${NO_SECRET}[^\n]+`,
  ),
  rule("::add-mask::", String.raw`${NO_SECRET}[^\n]+`),
  rule("-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----", String.raw`(?!\s*…)[^-]+`),
];
