/**
 * A text without its secrets, for links and for what the browser keeps.
 *
 * Taken away are the values of passwords, of keys and of opaque tokens, and the signatures of JSON Web Tokens, which say nothing
 * that a reader wants and without which nobody can use them. In doubt a value goes: `-p` is a port for some commands. Variables
 * such as `$PASSWORD` stay, since they are no secrets.
 */

export function withoutSecrets(text: string): string {
  return RULES.reduce((rest, secret) => rest.replace(secret, "$<before>…"), text);
}

/** What stands behind an opening quote, or without quotes up to whatever ends a word. */
const QUOTED = `(?:(?<=")[^"\\\\\\n]*(?:\\\\.[^"\\\\\\n]*)*|(?<=')[^'\\n]+)`;
const CONTENT = `(?!\\$|…|<|%\\w+%|eyJ)(?:${QUOTED}|(?<!["'])[^\\s"'\`,;|&)]+)`;

const OPTIONS = [
  ...["-p", "--pass(?:word|wd)?", "--(?:access-|identity-|refresh-)?token", "--(?:client-)?secret"],
  ...["--[a-z]+-password", "--(?:src-|dest-)?registry-token"],
].join("|");

const FIELDS = [
  ...["value", "auth", "secret", "passw(?:or)?d", "pwd", "identitytoken", "clientsecret", "(?:access|refresh)token"],
  ...["[\\w-]*[_-]?password\\d?", "[\\w-]*[_-](?:pw|pwd|secret|key|token)", "token"],
].join("|");

/** A word that an option or a field is named by begins a line, or follows what cannot be a piece of it. */
const START = "(?:^|[\\s\"'`({,?&])";

function rule(before: string, content: string): RegExp {
  return new RegExp(`(?<before>${before})${content}`, "gim");
}

const RULES = [
  // A terminal may have broken the token into lines.
  rule("(?<![\\w-])eyJ[\\w\\r\\n-]{7,400}\\.[\\w\\r\\n-]+\\.", "[\\w-]+(?:\\r?\\n[\\w-]{20,})*"),
  rule(
    `${START}authorization\\\\?["']?\\s{0,3}[:=]\\s{0,3}\\\\?["']?(?:basic|bearer)\\s{1,3}`,
    "(?!eyJ|…)[^\\s\"'\\\\]+",
  ),
  rule("\\bhttps?://[^\\s:/@\"']{1,200}:", "(?!…)[^\\s/@\"']{1,2000}(?=@)"),
  rule(`${START}(?:${OPTIONS})(?:=|[ \\t]{1,9}[\\\\\`^]\\r?\\n[ \\t]{0,40}|[ \\t]{1,9})["']?`, CONTENT),
  rule("(?<=\\blogin\\b[^\\n]{0,400}\\s-p)", "(?![\\s=$…])[^\\s]+"),
  rule(`${START}(?:-u|--user|--(?:src-|dest-)?creds)(?:=|[ \\t]{1,9})["']?[^\\s:"'$]{0,200}:`, CONTENT),
  rule(
    "\\b(?:echo|printf)[ \\t]{1,9}(?:-[a-z]{1,3}[ \\t]{1,9})?[\"']?",
    "(?![\"']?[$…]|eyJ)[^|\\n]{1,300}?(?=[\"']?[ \\t]*\\|[^\\n]{0,300}login)",
  ),
  rule("<<<[ \\t]{0,9}[\"']?", CONTENT),
  rule(`"(?:${FIELDS})"\\s{0,9}:\\s{0,9}"`, CONTENT),
  rule(`\\\\"(?:${FIELDS})\\\\":\\s{0,9}\\\\"`, '(?!eyJ|…)[^"\\\\]+'),
  rule(`${START}(?:${FIELDS})[ \\t]{0,9}[:=][ \\t]{0,9}["']?(?!null\\b|true\\b|false\\b|[[{])`, CONTENT),
];
