/** For each action the rules that grant it, or those that come nearest. */

import { For, Index, type JSX, Show } from "solid-js";
import { type Explanation, type Reason, type RuleRef, readScopes } from "../engine";
import { Mark } from "./Mark";

export function Reasons(props: { explanations: Explanation[] }): JSX.Element {
  const reasons = () =>
    props.explanations.flatMap(({ scope, reasons }) => {
      const name = nameOf(scope);
      return reasons.map((reason) => ({ name, ...reason }));
    });
  const worthSaying = () => reasons().some((reason) => reason.rules.length > 0 || reason.misses.length > 0);
  return (
    <Show when={worthSaying()}>
      <details class="reasons" open>
        <summary>Why</summary>
        <ul>
          <Index each={reasons()}>
            {(reason) => (
              <li>
                <Mark sign={reason().granted ? "allowed" : "denied"} label={reason().granted ? "allowed" : "denied"} />
                <div>
                  <strong>{reason().action}</strong> <span class="muted mono">{reason().name}</span>
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
        <Show when={props.reason.misses.length > 0} fallback={<p class="muted">no rule comes near</p>}>
          <ul class="plain">
            <For each={props.reason.misses}>
              {(miss) => (
                <li>
                  <RuleName rule={miss.rule} /> <span class="muted">{miss.message}</span>
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

/** The name that a scope is about. */
function nameOf(scope: string): string {
  return readScopes(scope).scopes[0]?.name ?? "";
}
