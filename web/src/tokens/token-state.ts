/**
 * What the token endpoint and the registry answer when a token's password or its status has
 * changed, or its time is over.
 *
 * Follows the token server: whatever is wrong, a client reads the same, and only the log says why.
 * A registry looks at the signature and the times of an access token and asks no other service, so
 * one that is out stays good to its end.
 */

import { acceptTimes, unauthorizedBody, writeChallenge } from "../engine";
import type { Json } from "./decode";
import { validity } from "./validity";

/** The state of the scope-map token at the time of a request. */
export interface TokenState {
  readonly isEnabled: boolean;
  readonly password: "valid" | "expired" | "regenerated";
}

export type Answer =
  | { readonly kind: "issued" }
  | { readonly kind: "accepted"; readonly reason: string }
  | {
      readonly kind: "refused";
      readonly status: 401;
      readonly header: string;
      readonly body: string;
      readonly reason: string;
    };

/** What the token endpoint answers to the name and the old password. */
export function tokenEndpoint({ isEnabled, password }: TokenState): Answer {
  if (password !== "valid") return unauthorized("wrong or expired password");
  return isEnabled ? { kind: "issued" } : unauthorized("token disabled");
}

/** How long a refresh token is valid, in seconds. */
const REFRESH_LIFETIME = 3 * 60 * 60;

/** Any time: what counts is how long ago it is. */
const ISSUED_AT = 1e9;

/** What it answers to a refresh token that was issued `age` seconds ago. */
export function refreshGrant({ isEnabled, password }: TokenState, age: number): Answer {
  const accepted = acceptTimes(ISSUED_AT, ISSUED_AT + REFRESH_LIFETIME, ISSUED_AT + age);
  if (accepted === "expired") return unauthorized("refresh token expired");
  if (accepted === "not_yet_valid") return unauthorized("refresh token not valid yet");
  if (!isEnabled) return unauthorized("token deleted or disabled");
  return password === "regenerated" ? unauthorized("issued before the token was changed") : { kind: "issued" };
}

/**
 * What a registry answers to an access token that was issued before, for a request that the token
 * allows.
 */
export function registryAnswer(claims: Json, now: number, realm: string, scopes: string[]): Answer {
  const { isAccepted, kind, text } = validity(claims, now);
  if (isAccepted) {
    // Two clocks may be a minute apart, so one that is just out is still taken.
    const leeway = kind === "valid" ? "" : " (within the 1-minute clock tolerance)";
    return {
      kind: "accepted",
      reason: `${text}${leeway}. Registries don't check whether the token was disabled after it was issued.`,
    };
  }
  const service = typeof claims.aud === "string" ? claims.aud : "";
  const header = writeChallenge(realm, service, scopes, "invalid_token");
  return {
    kind: "refused",
    status: 401,
    header,
    body: unauthorizedBody("authentication required", scopes),
    reason: text,
  };
}

function unauthorized(reason: string): Answer {
  const body = unauthorizedBody("authentication required", []);
  return { kind: "refused", status: 401, header: 'Basic realm="scopegate"', body, reason };
}
