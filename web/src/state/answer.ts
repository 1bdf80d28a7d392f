/**
 * The answer to the question: allowed or denied, in a sentence, with the reasons and the changes
 * that would help.
 *
 * A verdict needs a question: every scope parses, and every action is known. It needs to be known,
 * too, which rules decide: without a map, and with several of which a token has one, the answer
 * says so. Left out: what speaks against an answer, which is in `caveats`.
 */

import { createMemo } from "solid-js";
import { type Need, operation, type Simulation, simulate } from "../clients";
import {
  attempt,
  type Edit,
  type Explanation,
  type Outcome,
  type Principal,
  type Problem,
  readScopes,
} from "../engine";
import type { Candidate } from "./candidates";
import {
  type Alternative,
  type Caveat,
  type Circumstances,
  caveats,
  caveatsOfAllowed,
  caveatsOfDenied,
  isLoginRefused,
  isMapMissing,
  ofAlternatives,
  ofNewToken,
} from "./caveats";
import { describedToken } from "./described";
import { incomplete } from "./incomplete";
import { hostAsked, type Model, type Question, type Target } from "./model";
import { type Overview, overview } from "./overview";
import { labelOf } from "./registry";

export type Verdict = "allowed" | "denied" | "partly" | "unsure";

export type Answer =
  /** Nothing is asked: what is here, and what is missing. */
  | { kind: "nothing"; overview: Overview }
  | { kind: "problem"; problem: Problem }
  /** It is no question yet, and why. */
  | { kind: "incomplete"; missing: string[] }
  /** Nothing is asked, and a token was pasted: what it lists. */
  | { kind: "token"; sentences: string[] }
  | {
      kind: "answer";
      verdict: Verdict;
      /** What is asked, for people: `docker push` of a repository, or a scope. */
      asked: string;
      /** The same as scopes. */
      scopes: string;
      /** Why, where it is known which rules decide. */
      explanations: Explanation[];
      /** What the rules do not tell. */
      caveats: Caveat[];
      /** Whether a login was refused, and no rule was asked. */
      isLogin: boolean;
      /** What a token needs, where it is not known what it has. */
      needs: string[];
      /** The changes that together allow what was denied. */
      edits: Edit[];
      simulation: Simulation | null;
    };

export type GivenAnswer = Extract<Answer, { kind: "answer" }>;

export function createAnswer(model: Model, principal: () => Principal, circumstances: () => Circumstances) {
  const simulation = createMemo<Outcome<Simulation> | null>(() => {
    const { question } = model;
    if (question.kind !== "operation") return null;
    const chosen = operation(question.operation);
    const { repository } = question.target;
    if (!chosen || (repository === "" && chosen.needs.includes("repository"))) return null;
    const problem = problemOf(principal(), chosen.needs, question.target);
    if (problem) return { kind: "problem", problem };
    const subject = model.whose === "maps" ? principal() : circumstances().pastedToken.principal();
    return attempt(() => simulate(chosen, targetOf(question.target), subject, model.profile));
  });

  return createMemo<Answer>(() => {
    const outcome = simulation();
    if (outcome?.kind === "problem") return outcome;
    const found = outcome?.value ?? null;
    const scopes = scopesOf(model.question, found);
    if (scopes === "" && !found) return unasked(circumstances(), principal());
    const report = attempt(() => principal().claims(scopes));
    if (report.kind === "problem") return { kind: "problem", problem: report.problem };
    const missing = incomplete(scopes, report.value.invalid);
    if (missing.length > 0) return { kind: "incomplete", missing };
    const asked = found ? `${found.operation.name} ${targetName(model)}` : scopes;
    const around = circumstances();
    if (model.whose === "token") return byToken(around, scopes, asked, found, principal());
    return byMaps(around, scopes, asked, found, principal());
  });
}

function unasked(around: Circumstances, principal: Principal): Answer {
  const { model } = around;
  if (model.whose !== "token" || model.held === "") return { kind: "nothing", overview: overview(around, principal) };
  return { kind: "token", sentences: describedToken(around) };
}

function byMaps(
  around: Circumstances,
  scopes: string,
  asked: string,
  simulation: Simulation | null,
  principal: Principal,
): GivenAnswer {
  const { model, candidates } = around;
  const explained = principal.explain(scopes, around.registry || labelOf(hostAsked(model.question)) || undefined);
  const byRules = verdictOf(explained, simulation);
  const isLogin = isLoginRefused(model);
  // Where no rule was asked, it is all one which map the token has.
  const alternatives = isLogin ? [] : candidates.map((candidate) => alternative(model, candidate, scopes));
  const open = ofAlternatives(alternatives, byRules);
  const against = [
    ...open,
    ...caveats(around, scopes),
    ...(byRules === "allowed" ? caveatsOfAllowed(around, scopes) : caveatsOfDenied(around)),
  ];
  const helps = !against.some((caveat) => caveat.isElsewhere && !caveat.keepsFix);
  const edits = helps ? explained.flatMap((explanation) => explanation.edits.slice(0, 1)) : [];
  const isMissing = isMapMissing(model);
  // Rules that are not here, that were not asked, or that are not the token's say nothing.
  const isKnown = open.length === 0 && !isLogin && !isMissing;
  return {
    kind: "answer",
    verdict: withCaveats(byRules, against),
    asked,
    scopes,
    explanations: isKnown ? explained : [],
    caveats: against,
    isLogin,
    needs: isMissing ? edits.map((edit) => needed(asked, edit)) : [],
    // A change helps in the map that the token has.
    edits: candidates.length > 0 ? [] : edits,
    simulation: isKnown ? simulation : null,
  };
}

/** What one of the maps alone answers. */
function alternative(model: Model, { map, principal }: Candidate, scopes: string): Alternative {
  const found = attempt(() => (model.question.kind === "operation" ? simulated(model, principal) : null));
  const verdict = verdictOf(principal.explain(scopes), found.kind === "value" ? found.value : null);
  return { map, verdict, access: JSON.stringify(principal.claims(scopes).access) };
}

function needed(asked: string, { pattern, permissions }: Edit): string {
  const list = permissions.map((permission) => `\`${permission}\``).join(" and ");
  return `\`${asked}\` needs ${list} on \`${pattern}\``;
}

function byToken(
  around: Circumstances,
  scopes: string,
  asked: string,
  simulation: Simulation | null,
  principal: Principal,
): GivenAnswer {
  const { model, pastedToken } = around;
  const explanations = pastedToken.explain(scopes);
  const verdict = verdictOf(explanations, isAboutRepositories(simulation) ? simulation : null);
  // Each of the maps may be the one that a new token is made of.
  const isGranted = () =>
    around.maps.every(({ known }) => known !== "not") &&
    [principal, ...around.candidates.map((one) => one.principal)].every(
      (subject) => simulated(model, subject)?.outcome === "works",
    );
  const isOfOldToken = verdict === "allowed" && simulation !== null && !isMapMissing(model) && !isGranted();
  const against = [
    ...(isOfOldToken ? [ofNewToken(around)] : []),
    ...caveats(around, scopes),
    ...(verdict === "allowed" ? caveatsOfAllowed(around, scopes) : []),
  ];
  return {
    kind: "answer",
    verdict: withCaveats(verdict, against),
    asked,
    scopes,
    explanations,
    caveats: against,
    isLogin: false,
    needs: [],
    edits: [],
    simulation: null,
  };
}

/** What the client does that is asked about, with these rights. */
function simulated({ question, profile }: Model, principal: Principal): Simulation | null {
  const chosen = question.kind === "operation" ? operation(question.operation) : undefined;
  return chosen && question.kind === "operation"
    ? simulate(chosen, targetOf(question.target), principal, profile)
    : null;
}

/** A token's right to list the repositories is not one that a rule could give. */
function isAboutRepositories(simulation: Simulation | null): boolean {
  return (
    simulation !== null && readScopes(simulation.needs.join(" ")).scopes.every(({ type }) => type === "repository")
  );
}

/** What is wrong with the names that an operation is about. */
function problemOf(principal: Principal, needs: readonly Need[], target: Target): Problem | null {
  const names = (["repository", "source"] as const).filter((need) => needs.includes(need)).map((need) => target[need]);
  const grants = principal.granted(names.filter((name) => name !== ""));
  return grants.find(({ problem }) => problem !== null)?.problem ?? null;
}

function withCaveats(verdict: Verdict, caveats: Caveat[]): Verdict {
  if (caveats.some((caveat) => caveat.refuses)) return "denied";
  const isOpen = verdict !== "denied" || caveats.some((caveat) => caveat.isElsewhere);
  return caveats.length > 0 && isOpen ? "unsure" : verdict;
}

function scopesOf(question: Question, simulation: Simulation | null): string {
  return question.kind === "scope" ? question.text.trim() : (simulation?.needs.join(" ") ?? "");
}

/** The scopes that the question is about. */
export function scopesAsked({ model, answer }: { model: Model; answer: () => Answer }): string {
  const given = answer();
  return given.kind === "answer" ? given.scopes : scopesOf(model.question, null);
}

function verdictOf(explanations: Explanation[], simulation: Simulation | null): Alternative["verdict"] {
  if (simulation) {
    if (simulation.outcome === "works") return "allowed";
    return simulation.outcome === "fails" ? "denied" : "partly";
  }
  const reasons = explanations.flatMap((explanation) => explanation.reasons);
  const granted = reasons.filter((reason) => reason.granted).length;
  if (granted === 0) return "denied";
  return granted === reasons.length ? "allowed" : "partly";
}

function targetName(model: Model): string {
  return model.question.kind === "operation" ? model.question.target.repository : "";
}

function targetOf({ source, ...target }: Target) {
  return source === "" ? target : { ...target, source };
}
