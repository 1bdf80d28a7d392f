/**
 * What a client sends, request by request: the challenge of each, what it requests and gets, where
 * it fails, and what its user reads then.
 *
 * What fails is in view: the requests before it are folded, and the list scrolls by itself.
 */

import { createEffect, createMemo, createSignal, createUniqueId, Index, type JSX, on, Show } from "solid-js";
import type { Simulation, Step } from "../clients";
import { Mark, type Sign } from "./Mark";
import { Sentence } from "./Sentence";
import { passedBefore, refusedStep, summaryOf } from "./trace";
import "./client-trace.css";

const outcomes: Record<Step["outcome"], { sign: Sign; word: string }> = {
  passes: { sign: "allowed", word: "OK" },
  challenged: { sign: "step", word: "401 challenge (expected)" },
  fails: { sign: "denied", word: "refused" },
  "falls-back": { sign: "partly", word: "refused (client continues without it)" },
  "not-reached": { sign: "waits", word: "not sent" },
};

const signs: Record<Simulation["outcome"], Sign> = { works: "allowed", "works-partly": "partly", fails: "denied" };

/** What lights up with what. */
export interface Lights {
  /** Whether a request lights up with what is pointed at, by the scopes that it needs. */
  isLit: (scopes: readonly string[]) => boolean;
  /** Takes the scopes of the request that is pointed at; null for none. */
  point: (scopes: readonly string[] | null) => void;
}

export function ClientTrace(props: Lights & { simulation: Simulation }): JSX.Element {
  const id = createUniqueId();
  const [isUnfolded, setUnfolded] = createSignal(false);
  const steps = () => props.simulation.steps;
  const folded = createMemo(() => passedBefore(steps()));
  const shown = () => (isUnfolded() ? steps() : steps().slice(folded()));
  let area: HTMLDivElement | undefined;

  createEffect(
    on(
      () => props.simulation.operation.id,
      () => setUnfolded(false),
    ),
  );
  createEffect(
    on([() => props.simulation.operation.id, () => refusedStep(steps())], () => {
      if (area) showRefused(area);
    }),
  );

  return (
    <div class="client-trace">
      <p class="trace-about">
        <strong>{props.simulation.operation.name}</strong>{" "}
        <span class="muted">
          <Sentence text={props.simulation.operation.about} />
        </span>
      </p>
      <p class="trace-summary" data-outcome={props.simulation.outcome}>
        <Mark sign={signs[props.simulation.outcome]} />
        <span class="sentence">
          <Sentence text={summaryOf(props.simulation)} />
        </span>
      </p>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for controls */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <div class="trace-area" ref={area} role="group" aria-label="Requests" tabIndex={0}>
        <Show when={folded() > 0}>
          <button
            type="button"
            class="fold"
            aria-expanded={isUnfolded()}
            aria-controls={id}
            onClick={() => setUnfolded(!isUnfolded())}
          >
            <Mark sign="allowed" />
            {folded() === 1 ? "1 step passes" : `${folded()} steps pass`}
          </button>
        </Show>
        <ol class="steps" id={id}>
          <Index each={shown()}>{(step) => <TraceStep step={step()} isLit={props.isLit} point={props.point} />}</Index>
        </ol>
      </div>
      <Show when={props.simulation.terminal}>
        <p class="muted small">Output of the client</p>
        <pre class="terminal">{props.simulation.terminal}</pre>
      </Show>
    </div>
  );
}

function TraceStep(props: Lights & { step: Step }): JSX.Element {
  return (
    <li
      data-outcome={props.step.outcome}
      classList={{ lit: props.isLit(props.step.required) }}
      onPointerEnter={() => props.point(props.step.required)}
      onPointerLeave={() => props.point(null)}
    >
      <Mark sign={outcomes[props.step.outcome].sign} />
      <div>
        <p>
          <strong>{props.step.purpose}</strong> <span class="muted">– {outcomes[props.step.outcome].word}</span>
        </p>
        <p class="mono small break">
          {props.step.method} {props.step.target}
        </p>
        <dl class="small">
          <Fact name="Challenge" value={props.step.challenge ?? ""} />
          <Fact name="Requests" value={props.step.asked?.join(" ") ?? ""} />
          <Fact name="Granted" value={granted(props.step)} />
          <Fact name="Missing" value={props.step.missing.join(" ")} />
        </dl>
        <Show when={props.step.note}>{(note) => <p class="small muted">{note()}</p>}</Show>
      </div>
    </li>
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
  return step.asked ? "none" : "";
}

/** Scrolls the area to what is refused, and the page not at all. */
function showRefused(area: HTMLElement): void {
  const step = area.querySelector('li:is([data-outcome="fails"], [data-outcome="falls-back"])');
  area.scrollTop = 0;
  if (!step) return;
  const hidden = step.getBoundingClientRect().bottom - area.getBoundingClientRect().bottom;
  if (hidden > 0) area.scrollTop = step.getBoundingClientRect().top - area.getBoundingClientRect().top;
}
