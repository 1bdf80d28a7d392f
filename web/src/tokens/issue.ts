/**
 * The token that would be issued: its header, its claims, and its size once it is signed.
 *
 * Claims are the engine's. The header and the spelling of the payload are those of the token
 * server, which writes ASCII, and escapes the characters in which the two alphabets of base64
 * differ. Nothing is signed here: there is no key.
 */

import { type AccessClaims, type Principal, Subject } from "../engine";
import { base64Length } from "./base64";
import { type TokenSize, tokenSize } from "./size";

/** How long access tokens are valid, in seconds. */
export const ACCESS_LIFETIME = 3600;

export type Algorithm = "ES256" | "RS256" | "EdDSA";

/** The bytes of a signature; of RS256 with a key of 2,048 bits. */
const SIGNATURES: Readonly<Record<Algorithm, number>> = { ES256: 64, RS256: 256, EdDSA: 64 };

/** What a key is called: libtrust's fingerprint, twelve groups of four letters. */
const KEY_ID = Array(12).fill("AAAA").join(":");

export interface Request {
  readonly scopes: string;
  readonly name: string;
  readonly issuer: string;
  readonly service: string;
  readonly registryId: string;
  /** The token's own id. */
  readonly id: string;
  /** In seconds since 1970. */
  readonly issuedAt: number;
  readonly generation: number;
  readonly algorithm: Algorithm;
}

export interface IssuedToken {
  readonly header: { readonly alg: Algorithm; readonly typ: "JWT"; readonly kid: string };
  /** `untag` as the engine says it, where it names a repository. */
  readonly claims: AccessClaims & { readonly untag?: string[] };
  readonly size: TokenSize;
}

export function issue(principal: Principal, request: Request): IssuedToken {
  const header = { alg: request.algorithm, typ: "JWT", kid: KEY_ID } as const;
  const own = principal.accessClaims(request.scopes, subjectOf(request));
  const untag = principal.untag(request.scopes);
  const claims = untag.length > 0 ? { ...own, untag } : own;
  const parts = [JSON.stringify(header), payload(claims)].map((part) => base64Length(part.length));
  const bytes = [...parts, base64Length(SIGNATURES[request.algorithm])].reduce((sum, part) => sum + part, 2);
  return { header, claims, size: tokenSize(bytes) };
}

/** The engine takes it, and frees it. */
function subjectOf(request: Request): Subject {
  const subject = new Subject();
  const { name, issuer, service, registryId, id, issuedAt, generation } = request;
  return Object.assign(subject, {
    name,
    issuer,
    service,
    registryId,
    id,
    issuedAt,
    generation,
    lifetime: ACCESS_LIFETIME,
  });
}

/** The payload as the token server writes it, every character of which is a byte. */
function payload(claims: AccessClaims): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(claims).replaceAll(/[>?~\x7f-\uffff]/g, escaped);
}
