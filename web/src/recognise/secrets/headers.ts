/**
 * Headers of HTTP, as clients log them: a line, and the lists and dictionaries of Go, Python,
 * JavaScript, Java and PowerShell.
 */

import { NO_SECRET, rule } from "./rule";

/**
 * Between a name and its value: `: `, `":["`, `":[]string{"`, `', '`, `=[`, `","value":"`, also
 * with its quotes escaped.
 */
const GAP = String.raw`[\\"'\])]{0,4}\s{0,3}(?:[:=]>?|,)\s{0,9}(?:\[\]string|\\?["']value\\?["']\s{0,3}:\s{0,3})?[\\"'\[({]{0,4}`;
/** The value is gone already. */
const NOT_YET = String.raw`(?![\\"'\[({\s]{0,9}[…$])`;

/** It may follow the end of a line that is written in two letters. */
const HEAD = String.raw`(?:(?<![\w-])|(?<=\\[nr]))`;
const AUTHORIZATION = String.raw`${HEAD}(?:[\w-]{1,40}-)?authorization${GAP}`;
const SCHEME = "(?:basic|bearer|token|negotiate|ntlm|apikey)";
/** These have several fields behind their name. */
const SCHEME_OF_FIELDS = "(?:digest|aws4-hmac-sha256|signature|oauth|sharedkey(?:lite)?|sharedaccesssignature)";

/** Those whose value is a secret as a whole. */
const NAMES = [
  ...[
    "x-registry-(?:auth|config)",
    "x-(?:auth|access|vault|csrf|xsrf|gitlab)-token",
    "(?:x-)?api-key",
    "private-token",
  ],
  ...["(?:ci-)?job-token", "ocp-apim-subscription-key", "x-ms-[a-z-]{0,30}token[a-z-]{0,30}", "x-amz-security-token"],
].join("|");

export const HEADERS = [
  rule(String.raw`${AUTHORIZATION}${SCHEME}(?:\\?\s){1,3}`, String.raw`(?!realm=)${NO_SECRET}[^\s"'\\\])},;]+`),
  rule(String.raw`${AUTHORIZATION}${SCHEME_OF_FIELDS}[ \t]{1,3}`, String.raw`(?![ \t]*…)[^\n]+`),
  // Without a scheme; prose goes on behind its next word.
  rule(
    AUTHORIZATION,
    String.raw`(?!${SCHEME}\b|realm=)${NO_SECRET}[^\s"'\\\])},;]{12,}(?=[\\"'\])},;]|[ \t]*(?:\n|$))`,
  ),
  rule(`${HEAD}(?:${NAMES})${GAP}`, String.raw`${NOT_YET}${NO_SECRET}[^\s"'\\\])},;]+`),
  rule(`${HEAD}(?:set-)?cookie2?${GAP}`, String.raw`${NOT_YET}(?!value\b)[^\n"'\\\]]+`),
  rule(String.raw`\bcookies["']?\s{0,3}[:=]\s{0,3}\{`, String.raw`(?!\s*…)[^{}\n]+`),
  // A scheme alone, as in a message, followed by something that is not a word.
  rule(
    String.raw`\b(?:basic|bearer)[ \t]{1,3}`,
    String.raw`(?=[a-z+/_.~-]{0,200}\d)${NO_SECRET}[\w+/.~-]{16,}={0,2}(?![\w=])`,
  ),
];
