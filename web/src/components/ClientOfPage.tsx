/** The client of the page's question: what is chosen and written asks another one. */

import type { JSX } from "solid-js";
import { operations } from "../clients";
import type { Answer } from "../state/answer";
import type { Target } from "../state/model";
import type { Playground } from "../state/playground";
import type { Pointing } from "../state/pointing";
import { ClientPanel } from "./ClientPanel";

export function ClientOfPage(props: { playground: Playground; pointing: Pointing }): JSX.Element {
  const asked = () => {
    const { question } = props.playground.model;
    return question.kind === "operation" ? question : null;
  };
  const simulation = () => {
    const answer = props.playground.answer();
    return answer.kind === "answer" ? answer.simulation : null;
  };
  return (
    <ClientPanel
      operation={asked()?.operation ?? ""}
      target={asked()?.target ?? null}
      simulation={simulation()}
      note={withoutSimulation(props.playground.answer())}
      choose={(operation) => choose(props.playground, operation)}
      isLit={props.pointing.isRequestLit}
      point={(scopes) => props.pointing.point(scopes && { kind: "request", scopes })}
      write={(target) => {
        const question = asked();
        if (question) props.playground.ask({ ...question, target });
      }}
    />
  );
}

/** Which requests pass, only the rules that decide can tell. */
function withoutSimulation(answer: Answer): string {
  if (answer.kind !== "answer" || answer.isLogin) return "See each request the client sends, and where it fails.";
  return "Each request is shown here once it is known which scope map the token uses.";
}

function choose(playground: Playground, operation: string): void {
  const { question } = playground.model;
  const target: Target =
    question.kind === "operation"
      ? { ...question.target }
      : { registry: playground.host(), repository: firstRepository(playground), tag: "v1", source: "" };
  const needsSource = operations.find(({ id }) => id === operation)?.needs.includes("source") ?? false;
  if (needsSource && target.source === "") target.source = "samples/base";
  playground.ask({ kind: "operation", operation, target });
}

function firstRepository(playground: Playground): string {
  return playground.rows().find((row) => row.problem === null)?.name ?? "samples/hello-world";
}
