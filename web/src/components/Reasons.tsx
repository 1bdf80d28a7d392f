/** For each action a sentence, and the rules that grant it or those that come nearest. */

import { For, Index, type JSX, Show } from "solid-js";
import { type Explanation, type Reason, type RuleRef, sentence } from "../engine";
import { Mark } from "./Mark";
import { Sentence } from "./Sentence";
import "./reasons.css";

export function Reasons(props: { explanations: Explanation[] }): JSX.Element {
  const reasons = () =>
    props.explanations.flatMap(({ text, reasons }) => {
      // There is one sentence for each reason.
      const sentences = text.trimEnd().split("\n");
      return reasons.map((reason, index) => ({ sentence: sentences[index] ?? "", ...reason }));
    });
  return (
    <Show when={reasons().length > 0}>
      <details class="reasons" open>
        <summary>Why</summary>
        <ul>
          <Index each={reasons()}>
            {(reason) => (
              <li>
                <Mark sign={reason().granted ? "allowed" : "denied"} label={reason().granted ? "allowed" : "denied"} />
                <div>
                  <p class="sentence">
                    <Sentence text={sentence(reason().sentence)} />
                  </p>
                  <Rules reason={reason()} />
                </div>
              </li>
            )}
          </Index>
        </ul>
      </details>
    </Show>
  );
}

function Rules(props: { reason: Reason }): JSX.Element {
  return (
    <Show
      when={props.reason.granted}
      fallback={
        <Show when={props.reason.misses.length > 0}>
          <ul class="plain">
            <For each={props.reason.misses}>
              {(miss) => (
                <li>
                  <RuleName rule={miss.rule} /> <span class="muted">– {miss.message}</span>
                </li>
              )}
            </For>
          </ul>
        </Show>
      }
    >
      <ul class="plain">
        <For each={props.reason.rules}>
          {(rule) => (
            <li>
              <RuleName rule={rule} />
            </li>
          )}
        </For>
      </ul>
    </Show>
  );
}

export function RuleName(props: { rule: RuleRef }): JSX.Element {
  return (
    <span class="rule-name mono">
      <span class="pattern">{props.rule.pattern}</span> <span class="permission">{props.rule.permission}</span>
      <Show when={props.rule.scopeMap}>
        <span class="muted"> in {props.rule.scopeMap}</span>
      </Show>
    </span>
  );
}
