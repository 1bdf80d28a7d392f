/** The token that was pasted, and a preview of the one that would be issued. */

import { createMemo, type JSX, Show, untrack } from "solid-js";
import { attempt } from "../engine";
import { scopesAsked } from "../state/answer";
import type { Playground } from "../state/playground";
import { validity } from "../tokens";
import { issue } from "../tokens/issue";
import { IssuePreview } from "./IssuePreview";
import { goTo } from "./places";
import { TokenDetails } from "./TokenDetails";

export function TokenOfPage(props: { playground: Playground }): JSX.Element {
  return (
    <div class="stack">
      <Pasted playground={props.playground} />
      <Show
        when={props.playground.candidates().length === 0}
        fallback={
          <p class="muted">Which token would be issued depends on its scope map: choose one of them in the answer.</p>
        }
      >
        <Preview playground={props.playground} />
      </Show>
    </div>
  );
}

function Pasted(props: { playground: Playground }): JSX.Element {
  const pasted = () => props.playground.pastedToken;
  const times = () => {
    const claims = pasted().decoded()?.claims;
    return claims ? validity(claims, props.playground.now()) : null;
  };

  function remove() {
    props.playground.set({ held: "", whose: "maps" });
    goTo("panel");
  }

  return (
    <Show when={pasted().decoded()}>
      {(token) => (
        <TokenDetails
          token={token()}
          entries={pasted().entries()}
          validity={times()}
          bytes={token().size - (token().hasSignature ? MARK : 0)}
          remove={remove}
        />
      )}
    </Show>
  );
}

/** The bytes of the mark that the page keeps in place of a signature. */
const MARK = new TextEncoder().encode("…").length;

function Preview(props: { playground: Playground }): JSX.Element {
  const settings = () => props.playground.model.token;
  // A clock that runs would change what one reads.
  const issuedAt = untrack(() => props.playground.now());
  // A request may be too long for any token.
  const outcome = createMemo(() => {
    const scopes = scopesAsked(props.playground);
    if (scopes === "") return null;
    const principal = props.playground.principal();
    const request = { ...PLACEHOLDERS, scopes, name: settings().name, service: props.playground.host(), issuedAt };
    return attempt(() => issue(principal, request));
  });
  return (
    <IssuePreview
      outcome={outcome()}
      settings={settings()}
      issuedAt={issuedAt}
      realm={`https://${props.playground.host()}/oauth2/token`}
      maps={props.playground.deciding().length}
      onChange={(change) => props.playground.set("token", change)}
    />
  );
}

/** What a token server knows, and a page does not. */
const PLACEHOLDERS = {
  issuer: "Azure Container Registry",
  registryId: "00000000-0000-0000-0000-000000000000",
  id: "00000000-0000-0000-0000-000000000001",
  generation: 0,
  algorithm: "ES256",
} as const;
