/**
 * The `az acr scope-map create` command for a whole map.
 *
 * What an action is about, the engine says. Left out, and named as such: what is no rule, and rules for connected registries.
 */

import { Principal } from "../engine";
import type { WholeMap } from "./fix";

export interface Creation {
  readonly command: string;
  readonly leftOut: readonly string[];
}

export function createCommand(map: WholeMap): Creation {
  const principal = new Principal("root");
  const reports = principal.add(map.name, [...map.actions]);
  principal.free();
  const permissions = new Map<string, string[]>();
  const leftOut: string[] = [];
  for (const { pattern, permission, text } of reports) {
    if (pattern === null || permission === null) leftOut.push(text);
    else permissions.set(pattern, [...(permissions.get(pattern) ?? []), permission]);
  }
  const repositories = [...permissions].map(([pattern, each]) =>
    ["--repository", word(pattern), ...new Set(each)].join(" "),
  );
  const description = map.description === "" ? [] : [option("--description", map.description)];
  const named = [
    option("--name", map.name),
    map.registry === null ? "--registry $REGISTRY" : option("--registry", map.registry),
  ];
  return { command: ["az acr scope-map create", ...named, ...repositories, ...description].join(" "), leftOut };
}

/** A value that begins with a hyphen would be taken for an option. */
function option(name: string, value: string): string {
  return `${name}${value.startsWith("-") ? "=" : " "}${word(value)}`;
}

/** One word of a shell command, quoted where a shell would read more into it. */
function word(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
