/**
 * What the rules alone do not tell: a token that has ended or is disabled, an image of another registry, a map that is not there.
 *
 * An answer that overlooked one of these would say "allowed" to somebody who is refused, so each of them changes the verdict.
 */

import { attempt, Principal } from "../engine";
import type { Json, Validity } from "../tokens";
import type { HeldToken } from "./held";
import type { Model, Reported } from "./model";

export interface Doubt {
  text: string;
  /** Whether it refuses the request by itself; otherwise it leaves open what happens. */
  refuses: boolean;
  /** Whether the reason is not in the rules of a map. */
  isElsewhere: boolean;
  /** Whether a change to a scope map helps all the same. */
  keepsFix?: true;
}

export interface Circumstances {
  model: Model;
  held: HeldToken;
  registry: string;
  /** Whether the held token is in time; null without one that says when it is. */
  validity: Validity | null;
}

/** What speaks against an answer, whatever the rules say. */
export function doubts(circumstances: Circumstances): Doubt[] {
  if (circumstances.model.whose === "token") return ofHeldToken(circumstances);
  return [
    ...ofMissingMap(circumstances),
    ...ofTokenState(circumstances),
    ...ofOtherMap(circumstances),
    ...ofOtherRegistry(circumstances),
    ...ofLogin(circumstances),
  ];
}

/** What speaks against "allowed" by these maps. */
export function doubtsOfAllowed({ model }: Circumstances, scopes: string): Doubt[] {
  const { reported } = model;
  const together = model.maps.length > 1 && model.profile === "acr" && !oneAllows(model, scopes);
  const contradicted = reported?.meaning === "denied" && isAbout(model, reported, scopes);
  return [
    ...(together
      ? [open("only together do these scope maps allow it, and a token of Azure Container Registry has one")]
      : []),
    ...(contradicted
      ? [
          open(
            "the scope map allows this, and yet it was refused: look for an older login, another token or scope map, a disabled token, an expired password, or another registry",
          ),
        ]
      : []),
  ];
}

/** Whether what a client said is about what is asked now: its operation, or exactly the scopes that it named. */
function isAbout({ question }: Model, { repository, asked }: Reported, scopes: string): boolean {
  if (question.kind === "scope") return scopes === asked;
  const { target } = question;
  return repository === null || [target.repository, target.source].includes(repository);
}

function ofHeldToken({ model, held, validity }: Circumstances): Doubt[] {
  const token = held.decoded();
  if (!token?.claims || !validity) return [refusal("the token cannot be read")];
  const { isAccepted, text } = validity;
  return [
    ...(token.kind === "refresh"
      ? [refusal("a refresh token opens no repository; clients exchange it for an access token")]
      : []),
    ...(isAccepted ? [] : [refusal(`the token is refused: ${text}`)]),
    ...ofAudience(model, token.claims),
  ];
}

function ofAudience({ question }: Model, claims: Json): Doubt[] {
  const host = question.kind === "operation" ? question.target.registry : "";
  if (host === "" || typeof claims.aud !== "string" || claims.aud === host) return [];
  return [refusal(`the token is for \`${claims.aud}\`, and the command goes to \`${host}\``)];
}

function ofMissingMap({ model, registry }: Circumstances): Doubt[] {
  if (model.maps.some(({ name, actions }) => name !== "" || actions.length > 0)) return [];
  const command = `az acr scope-map show --name … --registry ${registry || "…"} -o json`;
  const missing = elsewhere(
    `no scope map is here yet, so nothing is known to be granted; paste what \`${command}\` prints`,
  );
  return [{ ...missing, keepsFix: true }];
}

const states: Record<Model["token"]["state"], string> = {
  enabled: "",
  disabled: "is disabled",
  "password-expired": "has an expired password",
  "password-regenerated": "has another password now",
};

function ofTokenState({ model: { token } }: Circumstances): Doubt[] {
  const state = states[token.state];
  return state === ""
    ? []
    : [{ text: `the token \`${token.name}\` ${state}: it gets no new access token`, refuses: true, isElsewhere: true }];
}

function ofOtherMap({ model: { token, maps } }: Circumstances): Doubt[] {
  const wanted = token.scopeMap.toLowerCase();
  if (wanted === "" || maps.some(({ name }) => name.toLowerCase() === wanted)) return [];
  return [open(`the token \`${token.name}\` uses the scope map \`${token.scopeMap}\`, which is not the one here`)];
}

function ofOtherRegistry({ model: { question }, registry }: Circumstances): Doubt[] {
  if (question.kind !== "operation" || registry === "") return [];
  const host = question.target.registry;
  const label = host.split(/[.:]/)[0]?.toLowerCase() ?? "";
  // A hash may follow the name, and a name has no hyphen of its own.
  if (label === registry.toLowerCase() || label.startsWith(`${registry.toLowerCase()}-`)) return [];
  if (host === "" && !question.operation.startsWith("docker-")) return [];
  if (host !== "" && !/\.azurecr\.[a-z]+$/i.test(host)) {
    return [
      open(`the image is in \`${host}\`; what the scope map says holds if that is an address of \`${registry}\``),
    ];
  }
  const where = host === "" ? "names no registry, so docker asks Docker Hub" : `is in \`${host}\``;
  return [elsewhere(`the image ${where}; this scope map is of \`${registry}\` and decides nothing there`)];
}

function ofLogin({ model }: Circumstances): Doubt[] {
  if (model.reported?.meaning !== "unauthenticated") return [];
  return [
    elsewhere(
      "the login was refused, and no scope map changes that: check the token's name, password and expiry, or the image pull secret",
    ),
  ];
}

function oneAllows({ maps, catalog }: Model, scopes: string): boolean {
  return maps.some(({ name, actions }) => {
    const principal = new Principal(catalog);
    const denied = attempt(() => {
      principal.add(name, [...actions]);
      return principal.claims(scopes).denied;
    });
    principal.free();
    return denied.kind === "value" && denied.value.length === 0;
  });
}

function refusal(text: string): Doubt {
  return { text, refuses: true, isElsewhere: true };
}

function elsewhere(text: string): Doubt {
  return { text, refuses: false, isElsewhere: true };
}

function open(text: string): Doubt {
  return { text, refuses: false, isElsewhere: false };
}
