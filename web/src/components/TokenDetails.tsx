/**
 * A token that was pasted: its kind, whether it is in time, what is wrong with it, and what it
 * says.
 *
 * Nothing of it is verified, so what it says is what its holder claims.
 */

import { createUniqueId, For, type JSX, Show } from "solid-js";
import { problemText, sentence } from "../engine";
import type { DecodedToken, Validity } from "../tokens";
import { Mark } from "./Mark";
import { Sentence } from "./Sentence";
import { TokenClaims } from "./TokenClaims";

const KINDS = { access: "Access token", refresh: "Refresh token", other: "Signed token (JWT)" };

export function TokenDetails(props: {
  token: DecodedToken;
  /** The scopes that it holds. */
  entries: readonly string[];
  /** Null where its claims cannot be read. */
  validity: Validity | null;
  /** Its size without its signature. */
  bytes: number;
  remove: () => void;
}): JSX.Element {
  const id = createUniqueId();
  const hasAccess = () => props.entries.length > 0 || (props.token.kind === "access" && props.token.claims !== null);
  return (
    <section class="stack" aria-labelledby={id}>
      <div class="row spread">
        <h3 id={id}>{KINDS[props.token.kind]}</h3>
        <button type="button" class="quiet" onClick={() => props.remove()}>
          Remove token
        </button>
      </div>
      <Show when={props.validity}>
        {(validity) => (
          <p class="token-validity">
            <Mark sign={validity().kind === "valid" ? "allowed" : "denied"} />
            <strong>
              <Sentence text={sentence(validity().text)} />
            </strong>
          </p>
        )}
      </Show>
      <For each={props.token.problems}>
        {(problem) => (
          <p class="problem small">
            <Sentence text={problemText(problem)} /> (character {problem.position + 1})
          </p>
        )}
      </For>
      <TokenClaims
        of="the token"
        access={hasAccess() ? props.entries : null}
        header={{ value: props.token.header, text: props.token.headerText }}
        claims={{ value: props.token.claims, text: props.token.claimsText }}
        bytes={props.bytes}
        measured="without signature"
      />
    </section>
  );
}
