/**
 * The answer to the question: allowed or denied, in a sentence, with the reasons and the changes that would help.
 */

import { createMemo } from "solid-js";
import { type Need, operation, type Simulation, simulate } from "../clients";
import {
  attempt,
  type Edit,
  type Explanation,
  type InvalidScope,
  type Outcome,
  type Principal,
  type Problem,
  readScopes,
} from "../engine";
import { type Circumstances, type Doubt, doubts, doubtsOfAllowed, doubtsOfDenied } from "./doubts";
import type { Model, Question, Target } from "./model";

export type Verdict = "allowed" | "denied" | "partly" | "unsure";

export type Answer =
  | { kind: "nothing" }
  | { kind: "problem"; problem: Problem }
  | {
      kind: "answer";
      verdict: Verdict;
      /** What is asked, for people: `docker push` of a repository, or a scope. */
      asked: string;
      explanations: Explanation[];
      invalid: InvalidScope[];
      /** What the rules do not tell. */
      doubts: Doubt[];
      /** The changes that together allow what was denied. */
      edits: Edit[];
      simulation: Simulation | null;
    };

export type GivenAnswer = Extract<Answer, { kind: "answer" }>;

export function createAnswer(model: Model, principal: () => Principal, circumstances: () => Circumstances) {
  const simulation = createMemo<Outcome<Simulation> | null>(() => {
    const { question, profile } = model;
    if (question.kind !== "operation") return null;
    const chosen = operation(question.operation);
    const { repository } = question.target;
    if (!chosen || (repository === "" && chosen.needs.includes("repository"))) return null;
    const problem = problemOf(principal(), chosen.needs, question.target);
    if (problem) return { kind: "problem", problem };
    const { source, ...target } = question.target;
    const whose = model.whose === "maps" ? principal() : circumstances().held.principal();
    return attempt(() => simulate(chosen, source === "" ? target : { ...target, source }, whose, profile));
  });

  return createMemo<Answer>(() => {
    const { question } = model;
    const outcome = simulation();
    if (outcome?.kind === "problem") return outcome;
    const simulated = outcome?.value ?? null;
    const scopes = scopesOf(question, simulated);
    if (scopes === "" && !simulated) return { kind: "nothing" };
    const asked = simulated ? `${simulated.operation.name} ${targetName(model)}` : scopes;
    const report = attempt(() => principal().claims(scopes));
    if (report.kind === "problem") return { kind: "problem", problem: report.problem };
    const around = circumstances();
    const byMaps = model.whose === "maps";
    const explanations = byMaps
      ? principal().explain(scopes, around.registry || undefined)
      : around.held.explain(scopes);
    const byRules = verdictOf(
      explanations,
      report.value.invalid,
      byMaps || isAboutRepositories(simulated) ? simulated : null,
    );
    const against = [
      ...doubts(around, scopes),
      ...(byRules === "allowed" ? doubtsOfAllowed(around, scopes) : doubtsOfDenied(around)),
    ];
    const helps = !against.some((doubt) => doubt.isElsewhere && !doubt.keepsFix);
    return {
      kind: "answer",
      verdict: doubted(byRules, against),
      asked,
      explanations,
      invalid: report.value.invalid,
      doubts: against,
      edits: helps ? explanations.flatMap((explanation) => explanation.edits.slice(0, 1)) : [],
      simulation: byMaps ? simulated : null,
    };
  });
}

/** A token's right to list the repositories is none that a rule could give. */
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

function doubted(verdict: Verdict, doubts: Doubt[]): Verdict {
  if (doubts.some((doubt) => doubt.refuses)) return "denied";
  const isOpen = verdict !== "denied" || doubts.some((doubt) => doubt.isElsewhere);
  return doubts.length > 0 && isOpen ? "unsure" : verdict;
}

function scopesOf(question: Question, simulation: Simulation | null): string {
  return question.kind === "scope" ? question.text.trim() : (simulation?.needs.join(" ") ?? "");
}

/** The scopes that the question is about. */
export function scopesAsked({ model, answer }: { model: Model; answer: () => Answer }): string {
  const given = answer();
  return scopesOf(model.question, given.kind === "answer" ? given.simulation : null);
}

function verdictOf(explanations: Explanation[], invalid: InvalidScope[], simulation: Simulation | null): Verdict {
  if (simulation) {
    if (simulation.outcome === "works") return "allowed";
    return simulation.outcome === "fails" ? "denied" : "partly";
  }
  const reasons = explanations.flatMap((explanation) => explanation.reasons);
  const granted = reasons.filter((reason) => reason.granted).length;
  if (granted === 0) return "denied";
  return granted === reasons.length && invalid.length === 0 ? "allowed" : "partly";
}

function targetName(model: Model): string {
  return model.question.kind === "operation" ? model.question.target.repository : "";
}
