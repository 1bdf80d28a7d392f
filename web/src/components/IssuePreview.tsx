/**
 * The token that would be issued for what is asked, and what becomes of it: when time passes, or
 * when the token of the scope map is disabled or gets another password.
 *
 * Nothing is signed here: it is told apart from a real token by its frame and its title.
 */

import { createUniqueId, For, type JSX, Show } from "solid-js";
import { type Outcome, problemText } from "../engine";
import type { TokenSettings } from "../state/model";
import type { IssuedToken } from "../tokens/issue";
import { type Answer, refreshGrant, registryAnswer, type TokenState, tokenEndpoint } from "../tokens/token-state";
import { Field } from "./Field";
import { Mark } from "./Mark";
import { Sentence } from "./Sentence";
import { TokenClaims } from "./TokenClaims";

type State = TokenSettings["state"];

export interface IssueSettings {
  readonly name: string;
  readonly state: State;
  /** Seconds by which the clock is moved from the moment of issue. */
  readonly clock: number;
}

export function IssuePreview(props: {
  /** The token, or why there is none; null where nothing is asked. */
  outcome: Outcome<IssuedToken> | null;
  settings: IssueSettings;
  /** When it is issued, in seconds since 1970. */
  issuedAt: number;
  /** Where the registry sends clients for a token. */
  realm: string;
  /** How many scope maps issue it together. */
  maps: number;
  onChange: (change: Partial<IssueSettings>) => void;
}): JSX.Element {
  const id = createUniqueId();
  const issued = () => (props.outcome?.kind === "value" ? props.outcome.value : null);
  const problem = () => (props.outcome?.kind === "problem" ? props.outcome.problem : null);
  return (
    <section class="stack issue-preview" aria-labelledby={id}>
      <h3 id={id}>Preview: the token {props.maps > 1 ? "these maps" : "this map"} would issue</h3>
      <Settings settings={props.settings} onChange={props.onChange} />
      <dl class="token-facts">
        <Answers
          settings={props.settings}
          token={issued()}
          now={props.issuedAt + props.settings.clock}
          realm={props.realm}
        />
      </dl>
      <Show when={props.outcome === null}>
        <p class="muted">Check a scope above to preview the token.</p>
      </Show>
      <Show when={problem()}>
        {(refused) => (
          <p class="problem">
            No token issued: <Sentence text={problemText(refused())} />
          </p>
        )}
      </Show>
      <Show when={issued()}>
        {(token) => (
          <TokenClaims
            of="the preview"
            access={scopesOf(token())}
            header={{ value: token().header, text: "" }}
            claims={{ value: token().claims, text: "" }}
            bytes={token().size.bytes}
            measured="signed with ES256"
          />
        )}
      </Show>
    </section>
  );
}

const STATES: Record<State, { name: string; token: TokenState | null }> = {
  enabled: { name: "Enabled", token: { isEnabled: true, password: "valid" } },
  disabled: { name: "Disabled", token: { isEnabled: false, password: "valid" } },
  "password-expired": { name: "Password expired", token: { isEnabled: true, password: "expired" } },
  "password-regenerated": { name: "Password regenerated", token: { isEnabled: true, password: "regenerated" } },
  deleted: { name: "Deleted", token: { isEnabled: false, password: "valid" } },
  unknown: { name: "Not known", token: null },
};

function Settings(props: { settings: IssueSettings; onChange: (change: Partial<IssueSettings>) => void }): JSX.Element {
  return (
    <div class="fields">
      <Field label="Token name" value={props.settings.name} write={(name) => props.onChange({ name })} />
      <label>
        <span>Token state</span>
        <select
          value={props.settings.state}
          onChange={(event) => props.onChange({ state: stateOf(event.currentTarget.value) })}
        >
          <For each={Object.entries(STATES)}>{([state, { name }]) => <option value={state}>{name}</option>}</For>
        </select>
      </label>
      <label>
        <span>Time: {clockText(props.settings.clock)}</span>
        <input
          type="range"
          min="-10"
          max="240"
          step="1"
          value={props.settings.clock / 60}
          aria-valuetext={clockText(props.settings.clock, true)}
          onInput={(event) => props.onChange({ clock: Number(event.currentTarget.value) * 60 })}
        />
      </label>
    </div>
  );
}

function Answers(props: {
  settings: IssueSettings;
  token: IssuedToken | null;
  now: number;
  realm: string;
}): JSX.Element {
  const state = () => STATES[props.settings.state].token;
  const ofState = (answer: (state: TokenState) => Answer) => {
    const known = state();
    return known && answer(known);
  };
  const atRegistry = (token: IssuedToken) =>
    registryAnswer({ ...token.claims }, props.now, props.realm, scopesOf(token));
  return (
    <>
      <AnswerLine name="Request an access token" answer={ofState(tokenEndpoint)} />
      <AnswerLine
        name="Refresh with an earlier refresh token"
        answer={ofState((known) => refreshGrant(known, props.settings.clock))}
      />
      <Show when={props.token}>
        {(token) => <AnswerLine name="Call the registry with this token" answer={atRegistry(token())} />}
      </Show>
    </>
  );
}

/** Without an answer it depends on what is not known. */
function AnswerLine(props: { name: string; answer: Answer | null }): JSX.Element {
  const refused = () => (props.answer?.kind === "refused" ? props.answer : null);
  const passed = () => {
    if (props.answer === null) return "Can't tell: the state of the token isn't known.";
    return props.answer.kind === "accepted" ? `Accepted; ${props.answer.reason}` : "Token issued";
  };
  return (
    <>
      <dt>{props.name}</dt>
      <dd class="token-answer">
        <Mark sign={props.answer === null ? "note" : refused() ? "denied" : "allowed"} />
        <span>
          <Show when={refused()} fallback={passed()}>
            {(answer) => (
              <>
                {answer().status}: <Sentence text={answer().reason} />
                <code class="break">WWW-Authenticate: {answer().header}</code>
              </>
            )}
          </Show>
        </span>
      </dd>
    </>
  );
}

function scopesOf(token: IssuedToken): string[] {
  return token.claims.access.map(({ type, name, actions }) => `${type}:${name}:${actions.join(",")}`);
}

/** Where the clock is; in words for who hears it. */
function clockText(seconds: number, isHeard = false): string {
  const minutes = Math.round(seconds / 60);
  if (minutes === 0) return "at issue";
  if (isHeard) return `${Math.abs(minutes)} min ${minutes > 0 ? "after" : "before"} issue`;
  return `${minutes > 0 ? "+" : "−"}${Math.abs(minutes)} min`;
}

function stateOf(text: string): State {
  return text in STATES ? (text as State) : "enabled";
}
