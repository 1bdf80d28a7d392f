/**
 * Fields and variables that are named after a secret: JSON, YAML, Terraform, TOML, XML,
 * assignments, parameters of addresses and forms.
 */

import { ASIDE, CONTENT, NO_SECRET, rule, START } from "./rule";

const FIELDS = [
  ...["auth", "(?:secret)(?:value)?", "pass(?:w(?:or)?d|phrase)?", "pwd", "pw", "passwort", "sig", "token"],
  ...[
    "(?:access|refresh|identity|registry|id|auth)_?token",
    "(?:client|app|shared)_?secret",
    String.raw`\.docker(?:configjson|cfg)`,
  ],
  ...["x-registry-auth", "api[_-]?key", "(?:account|access|shared_?access|storage|primary|secondary)_?key[12]?"],
  ...[String.raw`[\w-]*_auth(?:token)?`, String.raw`[\w-]*auth_config`],
  ...[String.raw`[\w-]*[_-]?password\d?`, String.raw`[\w-]*[_-](?:pass|pw|pwd|(?<!pull[_-])secret|key|token)`],
  String.raw`[\w-]*(?:auth_config|password|secret|token|credentials?)_(?:b64|base64)`,
].join("|");

/** A parameter of a template whose name tells of no secret: links would lose what it says. */
const PARAMETER = String.raw`"(?![^"\n]{0,60}(?:pass|pwd|secret|key|token|cred|auth|sas|connection))[\w-]{1,60}"\s{0,9}:\s{0,9}\{\s{0,90}`;

/** Those that people write in words. */
const PASSWORDS = String.raw`[\w-]{0,40}passw(?:or)?d\d?|pwd|passphrase`;

/** `imageCredentials.password` is one, too. */
const NAME = String.raw`${START}(?:[\w-]{1,60}\.){0,6}(?:${FIELDS})`;
/** Not a text, or not yet one. */
const NO_VALUE = String.raw`(?!null\b|none\b|true\b|false\b|[[{]|\(["'])`;

export const ASSIGNMENTS = [
  rule(String.raw`\b[a-z][a-z\d+.-]{1,20}:\/\/[^\s:/@"']{0,200}:`, String.raw`(?!…|\$|\*{3})[^\s/"']{1,2000}(?=@)`),
  // An access key alone instead of a user; names are shorter.
  rule(String.raw`\bhttps?:\/\/`, String.raw`(?!…)[^\s:/@"'?#]{36,2000}(?=@)`),
  // A file of variables: the value goes on to the end of its line, unless it is a form with other
  // fields.
  rule(
    String.raw`^[ \t]{0,40}(?:export[ \t]{1,9}|set[ \t]{1,9}|ENV[ \t]{1,9}|-[ \t]{1,9})?(?:${FIELDS})=`,
    String.raw`${NO_SECRET}${NO_VALUE}(?!\S{0,2000}&[\w.%-]{1,60}=)[^\s"'&]\S*(?=[ \t]*(?:\n|$))`,
  ),
  rule(String.raw`<(?:[\w:-]{0,40}password|secret)>`, String.raw`(?!…)[^<\n]+`),
  // A name and a password as the two of a pair: `'auth': ('me', '…')`, `SetBasicAuth("me", "…")`.
  rule(
    String.raw`\b\w{0,40}auth\w{0,40}["']?\s{0,3}(?:[:=]\s{0,3})?[([]\s{0,9}["'][^"'\n]{0,200}["'],\s{0,9}b?["']`,
    CONTENT,
  ),
  // `registry:name:password`.
  rule(String.raw`\b\w{0,40}auth\w{0,40}=["']?[\w.-]{1,255}(?::\d{1,5})?:[^\s:"']{1,200}:`, CONTENT),
  rule(String.raw`"(?:${FIELDS})"\s{0,9}:\s{0,9}"`, CONTENT),
  rule(String.raw`"value"(?<!${PARAMETER}"value")\s{0,9}:\s{0,9}"`, CONTENT),
  rule(String.raw`(?:^|[\s({,[?&;])value[ \t]{0,9}(?:=>|:=|[:=])[ \t]{0,9}["']?${NO_VALUE}`, CONTENT),
  rule(String.raw`'(?:${FIELDS}|value)'\s{0,9}:\s{0,9}b?'`, CONTENT),
  rule(String.raw`\\"(?:${FIELDS}|value)\\":\s{0,9}\\"`, String.raw`(?!${ASIDE.from}|…)(?:[^"\\]|\\{1,3}\/)+`),
  // In YAML a password may have blanks in it, or be a block of lines.
  rule(
    String.raw`${START}(?:${PASSWORDS})[ \t]{0,9}:[ \t]{1,9}`,
    String.raw`(?![|>"']|\$)${NO_SECRET}${NO_VALUE}[^\n,}]+`,
  ),
  rule(
    String.raw`${START}(?:${PASSWORDS}|secret)[ \t]{0,9}:[ \t]{0,9}[|>][+-]?[ \t]{0,9}\n`,
    String.raw`(?:[ \t]{1,40}[^\s…][^\n]*(?:\n|$)){1,20}`,
  ),
  rule(String.raw`${NAME}["']?\]?[ \t]{0,9}(?:=>|:=|[:=]|%3D)[ \t]{0,9}(?:b(?=["']))?["']?${NO_VALUE}`, CONTENT),
  rule("(?<=:)_auth(?:token)?=[\"']?", CONTENT),
  rule(String.raw`\b(?:setx|ENV)[ \t]{1,9}(?:${FIELDS})[ \t]{1,9}["']?`, CONTENT),
];
