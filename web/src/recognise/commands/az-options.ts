/**
 * The options of `az acr`, and what the words of a command line mean by them.
 *
 * Follows azure-cli 2.91, which reads them with Python's argparse: a beginning that only one option
 * has is that option, `--name=value` and `-rvalue` are one word, and what is not one of the
 * command's options ends it before it does anything.
 */

import type { GivenOption } from "./options";
import type { Word } from "./words";

/** Every command has these. */
const GLOBAL = `--debug --help/-h --only-show-errors --output/-o --query --verbose --subscription --acquire-policy-token
  --change-reference`;
const IN_REGISTRY = "--registry/-r --resource-group/-g";
const AS_USER = "--suffix --username/-u --password/-p";
const OF_REGISTRY = `--name/-n --resource-group/-g ${AS_USER}`;
const OF_MANIFESTS = `--registry/-r --name/-n ${AS_USER}`;
const LOCKS = "--delete-enabled --list-enabled --read-enabled --write-enabled";
const LISTED = "--top --orderby";

/**
 * The options of each command. Behind the slash is another name of the same, the old ones
 * last.
 */
const TABLE: Record<string, string> = {
  rest: "--method/-m --uri/--url/-u --body/-b --headers --uri-parameters --url-parameters --skip-authorization-header --resource --output-file",
  "resource delete":
    "--ids --name/-n --resource-group/-g --resource-type --namespace --parent --api-version --latest-include-preview --no-wait",
  delete: "--name/-n --resource-group/-g --yes/-y",
  import: `--name/-n --resource-group/-g --source --registry/-r --username/-u --password/-p --image/-t --repository --force --no-wait`,
  login: `${OF_REGISTRY} --expose-token/-t --endpoint`,
  "manifest list": `${OF_MANIFESTS} ${LISTED}`,
  "manifest list-metadata": `${OF_MANIFESTS} ${LISTED}`,
  "manifest metadata list": `${OF_MANIFESTS} ${LISTED}`,
  "manifest metadata show": OF_MANIFESTS,
  "manifest metadata update": `${OF_MANIFESTS} ${LOCKS}`,
  "manifest show-metadata": OF_MANIFESTS,
  "manifest update-metadata": `${OF_MANIFESTS} ${LOCKS}`,
  "repository delete": `${OF_REGISTRY} --repository --image/-t --yes/-y`,
  "repository list": `${OF_REGISTRY} --top`,
  "repository show": `${OF_REGISTRY} --repository --image/-t`,
  "repository show-manifests": `${OF_REGISTRY} --repository --detail ${LISTED}`,
  "repository show-tags": `${OF_REGISTRY} --repository --detail ${LISTED}`,
  "repository untag": `${OF_REGISTRY} --image/-t`,
  "repository update": `${OF_REGISTRY} --repository --image/-t ${LOCKS}`,
  "scope-map create": `${IN_REGISTRY} --name/-n --description --repository --gateway`,
  "scope-map delete": `${IN_REGISTRY} --name/-n --yes/-y`,
  "scope-map show": `${IN_REGISTRY} --name/-n`,
  "scope-map update": `${IN_REGISTRY} --name/-n --description --add-repository/--add --remove-repository/--remove --add-gateway
    --remove-gateway`,
  "token create": `${IN_REGISTRY} --name/-n --scope-map --repository --gateway --status --no-passwords --expiration
    --expiration-in-days`,
  "token credential delete": `${IN_REGISTRY} --name/-n --password1 --password2`,
  "token credential generate": `${IN_REGISTRY} --name/-n --password1 --password2 --expiration --expiration-in-days/--days`,
  "token delete": `${IN_REGISTRY} --name/-n --yes/-y`,
  "token show": `${IN_REGISTRY} --name/-n`,
  "token update": `${IN_REGISTRY} --name/-n --scope-map --status`,
};

/** The name of the command that the words begin with, `null` when it is not in the table. */
export function commandIn(words: string[]): string | null {
  const names = [3, 2, 1].map((count) => words.slice(0, count).join(" "));
  return names.find((name) => Object.hasOwn(TABLE, name)) ?? null;
}

/** The values of each option by its first name, once for each time that it is given. */
export type Options = Map<string, Word[][]>;

/** Why `az` does not take an option, and where it is. */
export interface RefusedOption {
  message: string;
  hint: string;
  position: number;
}

/** The options of a command under their whole names, and those that it does not have. */
export function resolved(command: string, given: GivenOption[]): { options: Options; refused: RefusedOption[] } {
  const names = namesOf(command);
  const options: Options = new Map();
  const refused: RefusedOption[] = [];
  for (const option of given) {
    const { name, values } = joinedShort(option, names);
    const found = names.get(name) ? [name] : [...names.keys()].filter((long) => isBeginning(name, long));
    const [first] = found;
    if (first === undefined || found.length > 1) refused.push(refusal(command, option, found));
    else {
      const whole = names.get(first) ?? first;
      options.set(whole, [...(options.get(whole) ?? []), values]);
    }
  }
  return { options, refused };
}

/** Every spelling of every option, with the option's first name. */
function namesOf(command: string): Map<string, string> {
  const all = `${GLOBAL} ${TABLE[command] ?? ""}`.split(/\s+/).map((option) => option.split("/"));
  return new Map(all.flatMap((names) => names.map((name) => [name, names[0] ?? name] as const)));
}

/** One letter is never a beginning of another option: `-rcontoso` is `-r contoso`. */
function isBeginning(name: string, long: string): boolean {
  return name.startsWith("--") && long.startsWith(name);
}

function joinedShort(
  { name, from, values }: GivenOption,
  names: Map<string, string>,
): Pick<GivenOption, "name" | "values"> {
  const short = name.slice(0, 2);
  if (name.startsWith("--") || name.length === 2 || !names.has(short)) return { name, values };
  const value = { text: name.slice(2), from: from + 2, to: from + name.length };
  return { name: short, values: [value, ...values] };
}

function refusal(command: string, { name, from }: GivenOption, found: string[]): RefusedOption {
  const hint = "`az` rejects this command, so its effect isn't certain";
  const about = `\`az acr ${command}\``;
  const message =
    found.length > 1
      ? `\`${name}\` may be ${found.map((option) => `\`${option}\``).join(" or ")} of ${about}`
      : `${about} has no option \`${name}\``;
  return { message, hint, position: from };
}
