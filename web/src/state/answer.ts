/**
 * The answer to the question: allowed or denied, in a sentence, with the reasons and the changes that would help.
 */

import { createMemo } from "solid-js";
import { operation, type Simulation, simulate } from "../clients";
import { attempt, type Edit, type Explanation, type InvalidScope, type Principal, type Problem } from "../engine";
import type { HeldToken } from "./held";
import type { Model, Question } from "./model";

export type Verdict = "allowed" | "denied" | "partly";

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
      /** The changes that together allow what was denied. */
      edits: Edit[];
      simulation: Simulation | null;
    };

export type GivenAnswer = Extract<Answer, { kind: "answer" }>;

export function createAnswer(model: Model, principal: () => Principal, registry: () => string, held: HeldToken) {
  const simulation = createMemo(() => {
    const { question, profile } = model;
    if (question.kind !== "operation") return null;
    const chosen = operation(question.operation);
    if (!chosen) return null;
    const outcome = attempt(() => simulate(chosen, { ...question.target }, principal(), profile));
    return outcome.kind === "value" ? outcome.value : null;
  });

  return createMemo<Answer>(() => {
    const { question } = model;
    const simulated = simulation();
    const scopes = scopesOf(question, simulated);
    if (scopes === "" && !simulated) return { kind: "nothing" };
    const asked = simulated ? `${simulated.operation.name} ${targetName(model)}` : scopes;
    const report = attempt(() => principal().claims(scopes));
    if (report.kind === "problem") return { kind: "problem", problem: report.problem };
    const explanations =
      model.whose === "token" ? held.explain(scopes) : principal().explain(scopes, registry() || undefined);
    return {
      kind: "answer",
      verdict: verdictOf(explanations, report.value.invalid, simulated),
      asked,
      explanations,
      invalid: report.value.invalid,
      edits: explanations.flatMap((explanation) => explanation.edits.slice(0, 1)),
      simulation: model.whose === "maps" ? simulated : null,
    };
  });
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
