/**
 * What a token says: its access, its times in the time zone of the reader, its parts as
 * they are written, and how large it is.
 */

import { For, type JSX, Show } from "solid-js";
import { sentence } from "../engine";
import { type TokenTime, tokenTimes } from "../tokens/local-time";
import { tokenSize } from "../tokens/size";
import { written } from "../tokens/written";
import { Code } from "./Code";
import { More } from "./More";
import "./token.css";

/** A registry's token has a few; more are not read, and would cost frames. */
const MAX_SHOWN = 200;

const TIME_NAMES: Record<TokenTime["claim"], string> = { iat: "Issued", nbf: "Valid from", exp: "Expires" };

/** A part of a token, and its text where it cannot be read. */
export interface TokenPart {
  readonly value: object | null;
  readonly text: string;
}

export function TokenClaims(props: {
  /** Which token, as it goes on in `the claims of …`. */
  of: string;
  /** The scopes that it holds; null for one that is not about access. */
  access: readonly string[] | null;
  header: TokenPart;
  claims: TokenPart;
  bytes: number;
  /** What the size includes. */
  measured: string;
}): JSX.Element {
  const times = () => tokenTimes({ ...props.claims.value });
  return (
    <div class="stack token-claims">
      <Show when={props.access !== null || times().length > 0}>
        <dl class="token-facts">
          <Show when={props.access}>{(access) => <Access entries={access()} />}</Show>
          <For each={times()}>
            {({ claim, seconds, text }) => (
              <>
                <dt>
                  {TIME_NAMES[claim]} (<code>{claim}</code>)
                </dt>
                <dd>
                  <time datetime={new Date(seconds * 1000).toISOString()}>{text}</time>{" "}
                  <code class="muted">{seconds}</code>
                </dd>
              </>
            )}
          </For>
        </dl>
      </Show>
      <Code text={textOf(props.claims)} label={`the claims of ${props.of}`} />
      <Code text={textOf(props.header)} label={`the header of ${props.of}`} />
      <Size bytes={props.bytes} measured={props.measured} />
    </div>
  );
}

function Access(props: { entries: readonly string[] }): JSX.Element {
  return (
    <>
      <dt>
        Access (<code>access</code>)
      </dt>
      <dd>
        <Show when={props.entries.length > 0} fallback="None: this token can't access any repository.">
          <ul class="plain mono">
            <For each={props.entries.slice(0, MAX_SHOWN)}>{(entry) => <li class="break">{entry}</li>}</For>
          </ul>
          <More all={props.entries.length} shown={MAX_SHOWN} />
        </Show>
      </dd>
    </>
  );
}

function Size(props: { bytes: number; measured: string }): JSX.Element {
  const warning = () => tokenSize(props.bytes).warning;
  return (
    <p class="small" classList={{ muted: warning() === null, problem: warning() !== null }}>
      {props.bytes.toLocaleString("en")} bytes ({props.measured})
      {warning() === null ? "" : `. ${sentence(warning() ?? "")}`}
    </p>
  );
}

function textOf({ value, text }: TokenPart): string {
  return value ? written(value) : text;
}
