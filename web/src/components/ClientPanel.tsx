/**
 * A client at work: its requests, the challenge of each, what it asks for and gets, and where it
 * fails.
 */

import { For, type JSX, Show } from "solid-js";
import { operations, type Simulation, type Step } from "../clients";
import type { Answer } from "../state/answer";
import type { Target } from "../state/model";
import type { Playground } from "../state/playground";
import { Mark, type Sign } from "./Mark";
import "./client-trace.css";

export function ClientPanel(props: { playground: Playground }): JSX.Element {
  const question = () => props.playground.model.question;
  const chosen = () => {
    const asked = question();
    return asked.kind === "operation" ? asked.operation : "";
  };
  const simulation = () => {
    const answer = props.playground.answer();
    return answer.kind === "answer" ? answer.simulation : null;
  };

  return (
    <div class="stack">
      <div class="fields">
        <label>
          <span>Operation</span>
          <select value={chosen()} onChange={(event) => choose(props.playground, event.currentTarget.value)}>
            <option value="" disabled>
              choose what a client does
            </option>
            <For each={byClient()}>
              {([client, list]) => (
                <optgroup label={client}>
                  <For each={list}>{(operation) => <option value={operation.id}>{operation.name}</option>}</For>
                </optgroup>
              )}
            </For>
          </select>
        </label>
        <Show when={question().kind === "operation"}>
          <TargetFields playground={props.playground} />
        </Show>
      </div>
      <Show when={simulation()} fallback={<p class="muted">{withoutSimulation(props.playground.answer())}</p>}>
        {(simulated) => <Steps simulation={simulated()} />}
      </Show>
    </div>
  );
}

/** Which requests pass, only the rules that decide can tell. */
function withoutSimulation(answer: Answer): string {
  if (answer.kind !== "answer" || answer.isLogin) return "Every request that a client sends, and what becomes of it.";
  return "Every request that a client sends is shown here, once it is known which scope map the token has.";
}

function TargetFields(props: { playground: Playground }): JSX.Element {
  const target = (): Target | null => {
    const { question } = props.playground.model;
    return question.kind === "operation" ? question.target : null;
  };
  const needs = (field: "repository" | "tag" | "source") => {
    const { question } = props.playground.model;
    if (question.kind !== "operation") return false;
    return operations.find(({ id }) => id === question.operation)?.needs.includes(field) ?? false;
  };
  const write = (field: keyof Target) => (event: { currentTarget: HTMLInputElement }) => {
    const { question } = props.playground.model;
    if (question.kind !== "operation") return;
    props.playground.ask({ ...question, target: { ...question.target, [field]: event.currentTarget.value.trim() } });
  };
  return (
    <For each={fields.filter(({ id }) => needs(id))}>
      {({ id, name }) => (
        <label>
          <span>{name}</span>
          <input
            type="text"
            class="mono"
            spellcheck={false}
            autocapitalize="off"
            value={target()?.[id] ?? ""}
            onInput={write(id)}
          />
        </label>
      )}
    </For>
  );
}

const fields: { id: "repository" | "tag" | "source"; name: string }[] = [
  { id: "repository", name: "Repository" },
  { id: "tag", name: "Tag" },
  { id: "source", name: "From repository" },
];

const outcomes: Record<Step["outcome"], { sign: Sign; word: string }> = {
  passes: { sign: "allowed", word: "passes" },
  challenged: { sign: "step", word: "is challenged, as the client expects" },
  fails: { sign: "denied", word: "is refused" },
  "falls-back": { sign: "partly", word: "is refused, and the client does without" },
  "not-reached": { sign: "waits", word: "is never sent" },
};

function Steps(props: { simulation: Simulation }): JSX.Element {
  return (
    <>
      <ol class="steps">
        <For each={props.simulation.steps}>
          {(step) => (
            <li data-outcome={step.outcome}>
              <Mark sign={outcomes[step.outcome].sign} />
              <div>
                <p>
                  <strong>{step.purpose}</strong> <span class="muted">{outcomes[step.outcome].word}</span>
                </p>
                <p class="mono small break">
                  {step.method} {step.target}
                </p>
                <dl class="small">
                  <Fact name="challenge" value={step.challenge ?? ""} />
                  <Fact name="asks for" value={step.asked?.join(" ") ?? ""} />
                  <Fact name="gets" value={granted(step)} />
                  <Fact name="lacks" value={step.missing.join(" ")} />
                </dl>
                <Show when={step.note}>
                  <p class="small muted">{step.note}</p>
                </Show>
              </div>
            </li>
          )}
        </For>
      </ol>
      <Show when={props.simulation.terminal}>
        <pre class="terminal">{props.simulation.terminal}</pre>
      </Show>
    </>
  );
}

function Fact(props: { name: string; value: string }): JSX.Element {
  return (
    <Show when={props.value}>
      <dt>{props.name}</dt>
      <dd class="mono break">{props.value}</dd>
    </Show>
  );
}

function granted(step: Step): string {
  const scopes = step.granted.map(({ type, name, actions }) => `${type}:${name}:${actions.join(",")}`);
  if (scopes.length > 0) return scopes.join(" ");
  return step.asked ? "nothing" : "";
}

function byClient() {
  const clients = [...new Set(operations.map(({ client }) => client))];
  return clients.map((client) => [client, operations.filter((operation) => operation.client === client)] as const);
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
