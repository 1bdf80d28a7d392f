/** Commands: options that take a password, and what a shell puts into a login. */

import { ASIDE, CONTENT, content, NO_SECRET, rule, START } from "./rule";

const OPTIONS = [
  ...["--?pass(?:word|wd|phrase)?", "--(?:access-|identity-|refresh-|id-)?token", "--(?:client-)?secret"],
  ...["--[a-z]+-password", "--(?:src-|dest-)?registry-token", "--[a-z-]{0,30}(?:account|api|access)-key", "--cookie"],
].join("|");

/** Between an option and its value, which may be on the next line, or the next of a list. */
const BEHIND = String.raw`(?:=|["'],\s{0,9}(?=["'])|["']?[ \t]{0,9}\n[ \t]{0,40}-[ \t]{1,9}|[ \t]{1,9}[\\${"`"}^]\n[ \t]{0,40}|[ \t]{1,9}|(?=["'][^,\s]))["']?`;

/** Commands whose `-p` is a port, a folder or a project. */
const OTHER_P = [
  String.raw`\b(?:mkdir|cp|ssh|install|nc|tar|rsync|lsof)[ \t][^\n;|&]{0,200}`,
  String.raw`\b(?:docker|podman|nerdctl)[ \t]{1,9}(?:container[ \t]{1,9})?(?:run|create|compose|port)[ \t][^\n;|&]{0,400}`,
].join("|");
const PORTS = String.raw`(?:[\d.]{7,15}:)?\d{1,5}:\d{1,5}(?:\/\w{3,4})?(?![^\s"'])`;

/** A name and a password together: `-u`, also behind other letters, and its like. */
const USER = String.raw`(?:-[a-z]{0,5}u|--user|--(?:src-|dest-)?creds)(?:=|[ \t]{0,9})`;

const LOGIN = "(?:login|base64)";

export const COMMANDS = [
  rule(`${START}(?:${OPTIONS})${BEHIND}`, content(";|&)")),
  rule(`${START}(?<!${OTHER_P})-p${BEHIND}(?!${PORTS})`, content(";|&)")),
  rule(String.raw`(?<=\blogin\b[^\n]{0,400}\s-p)`, String.raw`(?![\s=$…'"])[^\s]+`),
  rule(String.raw`${START}${USER}"[^"\s:$]{0,200}:`, String.raw`(?!…)[^"\n]+`),
  rule(String.raw`${START}${USER}["']?[^\s:"'$]{0,200}:`, CONTENT),
  rule(
    String.raw`\b(?:echo|printf)[ \t]{1,9}(?:-[a-z]{1,3}[ \t]{1,9})?["']?`,
    String.raw`(?!["']?[$${ASIDE.from}]|[^|\n]{0,300}…)[^|\n]{1,300}?(?=["']?[ \t]*\|(?:[^\n\\]|\\\n?){0,300}?${LOGIN})`,
  ),
  ...[
    String.raw`\blogin\b[^\n<]{0,400}<<-?[ \t]{0,3}`,
    String.raw`\bcat[ \t]{0,3}<<-?[ \t]{0,3}(?=[^\n]{0,300}\blogin\b)`,
  ].map((opens) =>
    rule(
      String.raw`${opens}["']?(?<end>[a-z_]\w{0,40})["']?[^\n]{0,300}\n`,
      String.raw`(?!…)[\s\S]{1,400}?(?=\n[ \t]{0,20}\k<end>)`,
    ),
  ),
  // What a shell says of a pipe that it traces.
  rule(
    String.raw`^\++ (?:echo|printf) ["']?`,
    String.raw`${NO_SECRET}[^\s"']+(?=["']?\n\++ [^\n]{0,400}--password-stdin)`,
  ),
  rule(
    String.raw`^\++ [^\n]{0,400}--password-stdin[^\n]{0,400}\n\++ (?:echo|printf) ["']?`,
    String.raw`${NO_SECRET}[^\s"']+`,
  ),
  // All of a Secret's literals but those that say where to log in.
  rule(
    String.raw`--from-literal(?<=\bsecret\b[^\n]{0,800})[= ]["']?(?!(?:user(?:name)?|email|server|registry|url)=)[\w.-]{1,100}=["']?`,
    content(";|&)"),
  ),
  rule(String.raw`<<<[ \t]{0,9}["']?`, CONTENT),
  rule(String.raw`\bConvertTo-SecureString[ \t]{1,9}(?:-String[ \t]{1,9})?["']?`, CONTENT),
  rule(
    String.raw`\bhtpasswd[ \t]{1,9}-[a-z]{0,6}b[a-z]{0,6}[ \t]{1,9}\S{1,200}[ \t]{1,9}`,
    String.raw`(?![$…])[^\n|;&>]+`,
  ),
  rule(
    String.raw`^[ \t]{0,40}machine\s{1,9}\S{1,255}\s{1,9}login\s{1,9}\S{1,255}\s{1,9}password\s{1,9}`,
    String.raw`${NO_SECRET}\S+`,
  ),
];
