/**
 * The answer as a card: one sentence, what else has to be known, and what to check.
 *
 * The sentence is a verdict only where the answer is one. Where something else than the rules
 * decides, the sentence says that. Left out: the reasons, rule by rule, and the change that helps.
 */

import type { Simulation } from "../clients";
import type { Explanation } from "../engine";
import type { Answer, GivenAnswer, Verdict } from "./answer";
import type { Caveat } from "./caveats";
import type { Overview } from "./overview";
import { answered, divided, rightsOf, sentence } from "./words";

export interface Card {
  tone: Verdict | "neutral";
  /** The verdict in a word or two; empty where there is none. */
  word: string;
  /** What is asked, for the page's title. */
  asked: string;
  headline: string;
  details: string[];
  /** What is said behind the change that helps. */
  last: string[];
}

const words: Record<Verdict, string> = {
  allowed: "Allowed",
  denied: "Denied",
  partly: "Partly allowed",
  unsure: "Can't tell yet",
};

/** A login that was refused is no verdict on rights. */
export const LOGIN_FAILED = "Login failed";

export function cardOf(answer: Answer, isToken: boolean): Card {
  switch (answer.kind) {
    case "nothing":
      return ofOverview(answer.overview);
    case "problem":
      return neutral(sentence(answer.problem.message), [sentence(answer.problem.hint)]);
    case "incomplete":
      return neutralOf(answer.missing);
    case "token":
      return neutral(answer.sentences[0] ?? "", answer.sentences.slice(1));
    default:
      return given(answer, isToken ? "The pasted token" : "The token");
  }
}

function ofOverview({ asks, headline, details }: Overview): Card {
  const card = neutral(headline, details);
  return asks === "login" ? { ...card, tone: "unsure", word: LOGIN_FAILED } : card;
}

function neutral(headline: string, details: string[]): Card {
  return { tone: "neutral", word: "", asked: "", headline, details: details.filter((text) => text !== "."), last: [] };
}

function neutralOf([first = "", ...others]: string[]): Card {
  const [headline, rest] = divided(first);
  return neutral(sentence(headline), [...(rest === "" ? [] : [rest]), ...others].map(sentence));
}

function given(answer: GivenAnswer, subject: string): Card {
  const { verdict, asked, isLogin, needs } = answer;
  const before = answer.caveats.filter(({ isLast }) => !isLast);
  const last = answer.caveats.filter(({ isLast }) => isLast).map(({ text }) => sentence(text));
  const word = isLogin && verdict === "unsure" ? LOGIN_FAILED : words[verdict];
  const deciding = decidingCaveat(verdict, before);
  const card = { tone: verdict, word, asked, last };
  if (deciding) {
    const [headline, rest] = divided(deciding.text);
    const others = before.filter((caveat) => caveat !== deciding).map(({ text }) => text);
    const details = [...(rest === "" ? [] : [rest]), ...others, ...needs].map(sentence);
    return { ...card, headline: sentence(headline), details };
  }
  const [need, ...otherNeeds] = needs;
  if (verdict === "unsure") {
    return {
      ...card,
      headline: sentence(need ?? `it isn't known whether \`${asked}\` will work`),
      details: otherNeeds.map(sentence),
    };
  }
  const details = [...before.map(({ text }) => text), ...noteOf(answer.simulation)].map(sentence);
  return { ...card, headline: byRules(answer, subject), details };
}

/** What decides in place of the rules: what refuses by itself, or else what leaves it open. */
function decidingCaveat(verdict: Verdict, caveats: Caveat[]): Caveat | undefined {
  const refusing = caveats.find(({ refuses }) => refuses);
  return refusing ?? (verdict === "unsure" ? caveats[0] : undefined);
}

/** What the rules answer, in one sentence. */
function byRules({ verdict, asked, explanations, simulation }: GivenAnswer, subject: string): string {
  const can = rights(explanations, true);
  const cannot = rights(explanations, false);
  if (simulation) {
    const because = cannot === "" || verdict === "allowed" ? "" : `: ${subject.toLowerCase()} can't ${cannot}`;
    return `\`${asked}\` ${outcomes[simulation.outcome]}${because}.`;
  }
  if (verdict === "allowed" && can !== "") return `${subject} can ${can}.`;
  if (verdict === "partly" && cannot !== "") return `${subject} can ${can}, but can't ${cannot}.`;
  return cannot === "" ? `\`${asked}\` is ${words[verdict].toLowerCase()}.` : `${subject} can't ${cannot}.`;
}

const outcomes = { works: "will work", fails: "will fail", "works-partly": "will partly work" };

function rights(explanations: Explanation[], isGranted: boolean): string {
  return rightsOf(
    explanations.flatMap((explanation) => answered(explanation, isGranted)),
    isGranted ? "and" : "or",
  );
}

/** Why a request fails that no rule refuses. */
function noteOf(simulation: Simulation | null): string[] {
  const step = simulation?.failsAt === null ? undefined : simulation?.steps[simulation.failsAt];
  return step?.note && step.missing.length === 0 ? [step.note] : [];
}

/** The card as it is read aloud. */
export function spokenCard({ word, headline, details, last }: Card): string {
  const said = [headline, ...details, ...last].join(" ").replaceAll("`", "");
  return word === "" ? said : `${word}: ${said}`;
}
