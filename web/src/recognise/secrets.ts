/**
 * A text without its secrets, for links and for what the browser keeps.
 *
 * Taken away are the values of passwords, of keys and of opaque tokens, and the signatures of JSON Web Tokens, which say nothing
 * that a reader wants and without which nobody can use them. In doubt a value goes: `-p` is a port for some commands. Variables
 * such as `$PASSWORD` stay, since they are no secrets. What terminals add to a text goes too, or else a colour could hide a secret.
 *
 * Left out: a secret that nothing around it tells to be one.
 */

import { clean } from "./clean";

export function withoutSecrets(text: string): string {
  return RULES.reduce((rest, secret) => rest.replace(secret, "$<before>…"), clean(text).text);
}

/** In single quotes a shell takes everything as it is; a quote among it is written in four characters. */
const SINGLE = String.raw`(?<=')(?!…|eyJ)[^'\n]+(?:'\\''[^'\n]*)*`;
const DOUBLE = String.raw`(?<=")[^"\\\n]*(?:\\.[^"\\\n]*)*`;
const NO_SECRET = String.raw`(?!\$|…|<|%\w+%|eyJ|\(ConvertTo)`;

/** What stands behind an opening quote, or without quotes up to whatever ends a word. */
function content(ends: string): string {
  return String.raw`(?:${SINGLE}|${NO_SECRET}(?:${DOUBLE}|(?<!["'])[^\s"'${ends}]+))`;
}
const CONTENT = content("`,;|&)");

const OPTIONS = [
  ...["-p", "--pass(?:word|wd)?", "--(?:access-|identity-|refresh-)?token", "--(?:client-)?secret"],
  ...["--[a-z]+-password", "--(?:src-|dest-)?registry-token"],
].join("|");

const FIELDS = [
  ...["value", "auth", "secret", "pass(?:w(?:or)?d|phrase)?", "pwd", "identitytoken", "clientsecret", "pw", "passwort"],
  ...[
    "(?:access|refresh)token",
    String.raw`\.dockerconfigjson`,
    "x-registry-auth",
    "sig",
    "api[_-]?key",
    "secretvalue",
    String.raw`[\w-]*_auth`,
  ],
  ...[String.raw`[\w-]*[_-]?password\d?`, String.raw`[\w-]*[_-](?:pass|pw|pwd|secret|key|token)`, "token"],
].join("|");

/** Those that people write in words. */
const PASSWORDS = String.raw`[\w-]{0,40}passw(?:or)?d\d?|pwd|passphrase`;

/** A word that an option or a field is named by begins a line, or follows what cannot be a piece of it. */
const START = String.raw`(?:^|[\s"'${"`"}({,?&]|\$(?:env:)?)`;

/** A name and a password together: `-u`, also behind other letters, and its like. */
const USER = String.raw`(?:-[a-z]{0,5}u|--user|--(?:src-|dest-)?creds)(?:=|[ \t]{0,9})`;

/** The rest of a piece of a token, which a terminal or an editor has broken into lines. */
const REST = String.raw`(?:[\s\\]{1,12}[\w-]{20,4000}){0,40}`;
/** What ends it: the last line may be short. */
const DOT = String.raw`(?:[ \t\\]{0,12}\n[ \t]{0,40}[\w-]{1,20})?[\s\\]{0,12}(?:\.|%2E)[\s\\]{0,12}`;

function rule(before: string, content: string): RegExp {
  return new RegExp(`(?<before>${before})${content}`, "gim");
}

const RULES = [
  // The last line of a signature may be short, and is nothing else.
  rule(
    String.raw`(?<![\w-])[\w-]{0,200}?eyJ[\w-]{7,4000}${REST}${DOT}[\w-]{1,8000}${REST}${DOT}`,
    String.raw`[\w-]+${REST}(?:(?<=[\w-]{20})[ \t\\]*\n[ \t]*[\w-]+(?=[ \t]*(?:\n|$)))?`,
  ),
  rule(
    String.raw`${START}authorization\\?["']?\s{0,3}[:=]\s{0,3}\\?["']?(?:basic|bearer)(?:\\?\s){1,3}`,
    String.raw`(?!eyJ|…)[^\s"'\\]+`,
  ),
  rule(String.raw`(?:^|[\s"'])(?:set-)?cookie:[ \t]{0,9}`, String.raw`(?!…)[^\n"']+`),
  rule(String.raw`\bhttps?://[^\s:/@"']{1,200}:`, String.raw`(?!…)[^\s/"']{1,2000}(?=@)`),
  rule(
    String.raw`${START}(?:${OPTIONS})(?:=|[ \t]{1,9}[\\${"`"}^]\n[ \t]{0,40}|[ \t]{1,9}|(?=["']))["']?`,
    content(";|&)"),
  ),
  rule(String.raw`(?<=\blogin\b[^\n]{0,400}\s-p)`, String.raw`(?![\s=$…'"])[^\s]+`),
  rule(String.raw`${START}${USER}"[^"\s:$]{0,200}:`, String.raw`(?!…)[^"\n]+`),
  rule(String.raw`${START}${USER}["']?[^\s:"'$]{0,200}:`, CONTENT),
  rule(
    String.raw`\b(?:echo|printf)[ \t]{1,9}(?:-[a-z]{1,3}[ \t]{1,9})?["']?`,
    String.raw`(?!["']?[$…]|eyJ)[^|\n]{1,300}?(?=["']?[ \t]*\|(?:[^\n\\]|\\\n?){0,300}?login)`,
  ),
  // A text that a shell puts into a login.
  ...[
    String.raw`\blogin\b[^\n<]{0,400}<<-?[ \t]{0,3}`,
    String.raw`\bcat[ \t]{0,3}<<-?[ \t]{0,3}(?=[^\n]{0,300}\blogin\b)`,
  ].map((opens) =>
    rule(
      String.raw`${opens}["']?(?<end>[a-z_]\w{0,40})["']?[^\n]{0,300}\n`,
      String.raw`(?!…)[\s\S]{1,400}?(?=\n[ \t]{0,20}\k<end>)`,
    ),
  ),
  rule(String.raw`<<<[ \t]{0,9}["']?`, CONTENT),
  // What `az` prints: a table with such a column, and the value alone.
  rule(
    String.raw`^[^\n]{0,400}(?:password|secret|value)[^\n]{0,400}\n(?:-{2,200}[ \t]{0,40}){1,20}\n`,
    String.raw`(?!…)\S[^\n]*(?:\n\S[^\n]*){0,3}`,
  ),
  rule(
    String.raw`\baz[ \t](?=[^\n]{0,400}(?:credential|token|password|secret|for-rbac))[^\n]{0,400}?[ \t](?:-o|--output)[ =]tsv[^\n]{0,100}\n`,
    String.raw`(?![$…]|eyJ)[^\s]{12,}(?=[ \t]*(?:\n|$))`,
  ),
  rule(String.raw`ConvertTo-SecureString[ \t]{1,9}(?:-String[ \t]{1,9})?["']?`, CONTENT),
  rule(String.raw`<(?:[\w:-]{0,40}password|secret)>`, String.raw`(?!…)[^<\n]+`),
  rule(String.raw`"(?:${FIELDS})"\s{0,9}:\s{0,9}"`, CONTENT),
  rule(String.raw`\\"(?:${FIELDS})\\":\s{0,9}\\"`, String.raw`(?!eyJ|…)[^"\\]+`),
  // In YAML a password may have blanks in it, or be a block of lines.
  rule(
    String.raw`${START}(?:${PASSWORDS})[ \t]{0,9}:[ \t]{1,9}`,
    String.raw`(?![|>$…"'[{]|null\b|true\b|false\b|eyJ)[^\n,}]+`,
  ),
  rule(
    String.raw`${START}(?:${PASSWORDS}|secret)[ \t]{0,9}:[ \t]{0,9}[|>][+-]?[ \t]{0,9}\n`,
    String.raw`(?:[ \t]{1,40}[^\s…][^\n]*(?:\n|$)){1,20}`,
  ),
  rule(String.raw`${START}(?:${FIELDS})[ \t]{0,9}[:=][ \t]{0,9}["']?(?!null\b|true\b|false\b|[[{])`, CONTENT),
];
