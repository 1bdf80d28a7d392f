/**
 * The token that was pasted, read; and the one that would be issued, with a clock that one can
 * move.
 */

import { createMemo, For, type JSX, Show } from "solid-js";
import { attempt, problemText, sentence } from "../engine";
import { scopesAsked } from "../state/answer";
import type { Playground } from "../state/playground";
import {
  type Answer,
  type IssuedToken,
  issue,
  refreshGrant,
  registryAnswer,
  type TokenState,
  tokenEndpoint,
  tokenSize,
  validity,
} from "../tokens";
import { Code } from "./Code";
import { Mark } from "./Mark";
import { Sentence } from "./Sentence";

/** The page's moment: a clock that runs would change what one reads. */
const opened = Math.floor(Date.now() / 1000);

export function TokenPanel(props: { playground: Playground }): JSX.Element {
  return (
    <div class="stack">
      <Show when={props.playground.model.held !== ""}>
        <PastedToken playground={props.playground} />
      </Show>
      <Show
        when={props.playground.candidates().length === 0}
        fallback={
          <p class="muted">Which token would be issued depends on its scope map: choose one of them in the answer.</p>
        }
      >
        <Issued playground={props.playground} />
      </Show>
    </div>
  );
}

function PastedToken(props: { playground: Playground }): JSX.Element {
  const token = () => props.playground.pastedToken.decoded();
  /** The mark in place of the signature is ours. */
  const claimed = () => (token()?.size ?? 0) - (token()?.hasSignature ? new TextEncoder().encode("…").length : 0);
  const times = () => {
    const claims = token()?.claims;
    return claims ? validity(claims, props.playground.now()) : null;
  };
  return (
    <section class="stack" aria-labelledby="held-title">
      <div class="row spread">
        <h3 id="held-title">{kinds[token()?.kind ?? "other"]}</h3>
        <button type="button" class="quiet" onClick={() => props.playground.set({ held: "", whose: "maps" })}>
          Forget this token
        </button>
      </div>
      <Show when={times()}>
        {(known) => (
          <p class="verdict small-verdict">
            <Mark sign={known().kind === "valid" ? "allowed" : "denied"} />
            <strong>
              <Sentence text={sentence(known().text)} />
            </strong>
          </p>
        )}
      </Show>
      <For each={token()?.problems}>
        {(problem) => (
          <p class="problem small">
            <Sentence text={problemText(problem)} /> (character {problem.position + 1})
          </p>
        )}
      </For>
      <Show when={props.playground.pastedToken.entries().length > 0}>
        <ul class="plain mono small">
          <For each={props.playground.pastedToken.entries()}>{(entry) => <li class="break">{entry}</li>}</For>
        </ul>
      </Show>
      <Code text={pretty(token()?.header) ?? token()?.headerText ?? ""} label="the header" />
      <Code text={pretty(token()?.claims) ?? token()?.claimsText ?? ""} label="the claims" />
      <Size bytes={claimed()} signed="without its signature" />
    </section>
  );
}

const kinds = { access: "An access token", refresh: "A refresh token", other: "A signed token" };

const states = {
  enabled: "enabled, password valid",
  disabled: "token disabled",
  "password-expired": "password expired",
  "password-regenerated": "password regenerated",
  deleted: "token deleted",
  unknown: "not known",
} as const;

const tokenStates: Record<keyof typeof states, TokenState> = {
  enabled: { isEnabled: true, password: "valid" },
  disabled: { isEnabled: false, password: "valid" },
  "password-expired": { isEnabled: true, password: "expired" },
  "password-regenerated": { isEnabled: true, password: "regenerated" },
  deleted: { isEnabled: false, password: "valid" },
  unknown: { isEnabled: true, password: "valid" },
};

function Issued(props: { playground: Playground }): JSX.Element {
  const settings = () => props.playground.model.token;
  const scopes = () => scopesAsked(props.playground);
  const host = () => props.playground.host();
  // A request may be too long for any token.
  const outcome = createMemo(() =>
    attempt(() =>
      issue(props.playground.principal(), {
        scopes: scopes(),
        name: settings().name,
        issuer: "Azure Container Registry",
        service: host(),
        registryId: "00000000-0000-0000-0000-000000000000",
        id: "00000000-0000-0000-0000-000000000001",
        issuedAt: opened,
        generation: 0,
        algorithm: "ES256",
      }),
    ),
  );
  const issued = createMemo(() => {
    const made = outcome();
    return made.kind === "value" ? made.value : null;
  });
  const problem = () => {
    const made = outcome();
    return made.kind === "problem" ? made.problem : null;
  };
  const now = () => opened + settings().clock;
  const tokenState = () => tokenStates[settings().state];
  const atRegistry = (token: IssuedToken) => {
    const required = token.claims.access.map(({ type, name, actions }) => `${type}:${name}:${actions.join(",")}`);
    return registryAnswer({ ...token.claims }, now(), `https://${host()}/oauth2/token`, required);
  };

  return (
    <section class="stack" aria-labelledby="issued-title">
      <h3 id="issued-title">The token that would be issued</h3>
      <div class="fields">
        <label>
          <span>Token name</span>
          <input
            type="text"
            class="mono"
            spellcheck={false}
            value={settings().name}
            onInput={(event) => props.playground.set("token", "name", event.currentTarget.value)}
          />
        </label>
        <label>
          <span>Meanwhile</span>
          <select
            value={settings().state}
            onChange={(event) => props.playground.set("token", "state", stateOf(event.currentTarget.value))}
          >
            <For each={Object.entries(states)}>{([state, name]) => <option value={state}>{name}</option>}</For>
          </select>
        </label>
        <label>
          <span>Clock: {clockText(settings().clock)}</span>
          <input
            type="range"
            min="-10"
            max="240"
            step="1"
            value={settings().clock / 60}
            aria-valuetext={clockText(settings().clock)}
            onInput={(event) => props.playground.set("token", "clock", Number(event.currentTarget.value) * 60)}
          />
        </label>
      </div>
      <dl class="answers">
        <AnswerLine name="asking for a token" answer={tokenEndpoint(tokenState())} />
        <AnswerLine name="with a refresh token from before" answer={refreshGrant(tokenState(), settings().clock)} />
        <Show when={issued()}>
          {(token) => <AnswerLine name="the registry, with this token" answer={atRegistry(token())} />}
        </Show>
      </dl>
      <Show when={scopes() === ""}>
        <p class="muted">Ask for a scope above to see what would be granted.</p>
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
          <>
            <Code text={pretty(token().header) ?? ""} label="the header of the token that would be issued" />
            <Code text={pretty(token().claims) ?? ""} label="the claims of the token that would be issued" />
            <Size bytes={token().size.bytes} signed="signed with ES256" />
          </>
        )}
      </Show>
    </section>
  );
}

function AnswerLine(props: { name: string; answer: Answer }): JSX.Element {
  const refused = () => (props.answer.kind === "refused" ? props.answer : null);
  return (
    <>
      <dt>{props.name}</dt>
      <dd>
        <Mark sign={refused() ? "denied" : "allowed"} />
        <span>
          <Show
            when={refused()}
            fallback={props.answer.kind === "accepted" ? `accepted: ${props.answer.reason}` : "a token is issued"}
          >
            {(answer) => (
              <>
                {answer().status}: <Sentence text={answer().reason} />
                <code class="break small block">WWW-Authenticate: {answer().header}</code>
              </>
            )}
          </Show>
        </span>
      </dd>
    </>
  );
}

function Size(props: { bytes: number; signed: string }): JSX.Element {
  const size = () => tokenSize(props.bytes);
  return (
    <p class="small" classList={{ muted: size().warning === null, problem: size().warning !== null }}>
      {size().bytes.toLocaleString("en")} bytes {props.signed}
      {size().warning === null ? "" : `. ${sentence(size().warning ?? "")}`}
    </p>
  );
}

function pretty(value: object | null | undefined): string | null {
  return value ? JSON.stringify(value, null, 2) : null;
}

function clockText(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (minutes === 0) return "when it is issued";
  return minutes > 0 ? `${minutes} min later` : `${-minutes} min before`;
}

function stateOf(text: string): keyof typeof states {
  return text in states ? (text as keyof typeof states) : "enabled";
}
