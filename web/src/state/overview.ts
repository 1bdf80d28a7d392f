/**
 * What is said where nothing is asked: what a scope map grants, which of several is meant, what an
 * error or a login lacks. Every input gets an answer, and none of these is a verdict.
 *
 * Left out: a pasted token, which `described` sums up, and the page on which nothing is.
 */

import { type Principal, readRules } from "../engine";
import { calledMap, writtenMaps } from "./candidates";
import { type Circumstances, isLoginRefused, reportedCaveats } from "./caveats";
import type { Model, ScopeMapDraft } from "./model";
import { isKnown } from "./token";
import { divided, doing, listOf, sentence, shortened } from "./words";

export interface Overview {
  /** What the page asks for, beside what it says. */
  asks: "nothing" | "login" | "command" | "map" | "paste" | "example";
  headline: string;
  details: string[];
}

/** A map with more rules is only counted: no sentence holds them, and a key would cost frames. */
const MAX_RULES = 100;
/** Kinds of rights in one sentence; the matrix has all of them. */
const MAX_GROUPS = 3;

export function overview(circumstances: Circumstances, principal: Principal): Overview {
  const { model, maps, candidates } = circumstances;
  if (model.reported) return ofReport(circumstances);
  if (candidates.length > 1) {
    const names = shortened(candidates.map(({ map }) => calledMap(map)));
    return {
      asks: "map",
      headline: `Which of these ${candidates.length} scope maps does the token use?`,
      details: [`A token of Azure Container Registry has one of ${names}. What they grant is never added up.`],
    };
  }
  const written = writtenMaps(maps);
  return written.length > 0 ? ofMaps(written, principal) : withoutMap(model);
}

/** An error that does not say what was refused, or one that no rule can mend. */
function ofReport(circumstances: Circumstances): Overview {
  const [caveat] = reportedCaveats(circumstances);
  if (caveat) {
    const [headline, rest] = divided(caveat.text);
    const asks = isLoginRefused(circumstances.model) ? "login" : "nothing";
    return { asks, headline: sentence(headline), details: rest === "" ? [] : [sentence(rest)] };
  }
  return {
    asks: "command",
    headline: "This error doesn't say what was refused.",
    details: ["What did you run, and with which image?"],
  };
}

function ofMaps(maps: ScopeMapDraft[], principal: Principal): Overview {
  const [map] = maps;
  const called = maps.length === 1 && map?.name ? `\`${map.name}\`` : maps.length === 1 ? "This scope map" : "They";
  if (maps.some(({ known }) => known === "not")) {
    return {
      asks: "nothing",
      headline: `What ${called === "They" ? "these scope maps" : called} grants now isn't certain.`,
      details: ["Paste what `az acr scope-map show` prints."],
    };
  }
  const rules = maps.flatMap(({ actions }) => actions);
  if (rules.length > MAX_RULES) return plain(`${called} has ${rules.length.toLocaleString("en")} rules.`, [ASK]);
  const isOpen = maps.some(({ known }) => known === "partly");
  const granted = grantedBy(principal);
  const invalid = readRules(rules).filter(({ problem }) => problem !== null).length;
  const can = isOpen ? "can at least" : "can";
  const details = [...invalidRules(invalid), ...(granted === "" ? [] : [ASK])];
  return plain(granted === "" ? `${called} grants nothing.` : `${called} ${can} ${granted}.`, details);
}

const ASK = "Select a cell of the table to see why, or check a scope here.";

function invalidRules(count: number): string[] {
  if (count === 0) return [];
  return [count === 1 ? "One rule isn't valid and grants nothing." : `${count} rules aren't valid and grant nothing.`];
}

function plain(headline: string, details: string[]): Overview {
  return { asks: "nothing", headline, details };
}

/**
 * What rules grant, in words: repositories of which the same is granted are together, and what a
 * wider pattern grants already is not repeated.
 */
function grantedBy(principal: Principal): string {
  const classes = principal.repositories();
  const grants = principal.granted(classes.map(({ witness }) => witness));
  const granted = new Map(classes.map(({ pattern }, index) => [pattern, grants[index]?.actions ?? []]));
  const groups = new Map<string, string[]>();
  for (const [pattern, actions] of granted) {
    const isRepeated = wider(pattern).some((other) => includes(granted.get(other), actions));
    const right = isRepeated ? null : doing(actions);
    if (right !== null) groups.set(right, [...(groups.get(right) ?? []), placed(pattern)]);
  }
  const all = [...groups].map(([right, names]) => `${right} ${shortened(names)}`);
  return listOf(all.length > MAX_GROUPS ? [...all.slice(0, MAX_GROUPS), "more"] : all);
}

/** The wildcards that cover all that a pattern does, beside itself. */
function wider(pattern: string): string[] {
  const segments = pattern.split("/").slice(0, -1);
  const prefixes = segments.map((_, index) => `${segments.slice(0, index + 1).join("/")}/*`);
  return ["*", ...prefixes].filter((prefix) => prefix !== pattern);
}

function includes(actions: readonly string[] | undefined, wanted: readonly string[]): boolean {
  return actions !== undefined && wanted.every((action) => actions.includes(action));
}

function placed(pattern: string): string {
  if (pattern === "*") return "every repository";
  return pattern.endsWith("/*") ? `everything below \`${pattern.slice(0, -1)}\`` : `\`${pattern}\``;
}

function withoutMap(model: Model): Overview {
  const { token, repositories, assertions } = model;
  const missing = "To see what the token can do, paste its scope map: what `az acr scope-map show` prints.";
  if (isKnown(token)) {
    const map = token.scopeMap === "" ? "" : ` uses the scope map \`${token.scopeMap}\`, which isn't here yet`;
    return toPaste(`The token \`${token.name}\`${map || " has no scope map here yet"}.`, [missing]);
  }
  if (repositories.length > 0) {
    const count =
      repositories.length === 1 ? "One repository" : `${repositories.length.toLocaleString("en")} repositories`;
    return toPaste(`${count}, and no scope map yet.`, [missing]);
  }
  if (assertions.length > 0) return toPaste("Tests, and no scope map yet.", [missing]);
  if (model.pasted.trim() !== "") {
    return toPaste("There is no answer to this yet.", [
      "Paste an error, a scope map, a token or the command that failed. What was recognised is below the field.",
    ]);
  }
  return {
    asks: "example",
    headline: "Why was it denied?",
    details: ["Paste an error, a scope map or a token to see what it means. The answer appears as you type."],
  };
}

function toPaste(headline: string, details: string[]): Overview {
  return { asks: "paste", headline, details };
}
