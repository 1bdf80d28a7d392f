/**
 * A pasted token, taken apart: what can be read of it, where it stops, and what kind
 * of token it is.
 *
 * Follows RFC 7515 and RFC 7519. Nothing is verified, and the signature is not kept: its holder
 * could use the token.
 */

import { jsonNode } from "../documents/json";
import { Refusal } from "../documents/refusal";
import { base64Url } from "./base64";

export type Json = { readonly [name: string]: unknown };

export interface TokenProblem {
  readonly message: string;
  readonly hint: string;
  /** Where in the pasted text. */
  readonly position: number;
}

export interface DecodedToken {
  readonly kind: "access" | "refresh" | "other";
  /** What the two parts say, as far as they are JSON; their text, as far as they can be read. */
  readonly header: Json | null;
  readonly headerText: string;
  readonly claims: Json | null;
  readonly claimsText: string;
  readonly hasSignature: boolean;
  /** The length of the token, in bytes. */
  readonly size: number;
  readonly problems: readonly TokenProblem[];
}

export function decodeToken(text: string): DecodedToken {
  const { token, start } = bare(text);
  const parts = token.split(".");
  const [header = "", claims = "", signature = ""] = parts;
  const readHeader = readPart("header", header, start);
  const readClaims = readPart("claims", claims, start + header.length + 1);
  return {
    kind: kindOf(readClaims.value),
    header: readHeader.value,
    headerText: readHeader.text,
    claims: readClaims.value,
    claimsText: readClaims.text,
    hasSignature: signature !== "",
    size: new TextEncoder().encode(token).length,
    problems: [
      ...formProblems(parts, token, start),
      ...(token === "" ? [] : readHeader.problems),
      ...(parts.length > 1 ? readClaims.problems : []),
    ],
  };
}

/**
 * The token without what makes it one, to be kept and shown. Of a text that is no token nothing is
 * kept: it may be a secret.
 */
export function withoutSignature(text: string): string {
  const [header, claims] = bare(text).token.split(".");
  return header === undefined || claims === undefined ? "" : `${header}.${claims}.`;
}

/** The letters of a signature, at least: of a key of RSA there may be more. */
const SIGNATURES: Readonly<Record<string, number>> = { ES256: 86, EdDSA: 86, RS256: 342 };

/**
 * Whether a signature is there as a whole; what a terminal or a hand has cut, no registry accepts.
 */
export function isSigned(text: string): boolean {
  const [header = "", , signature = ""] = bare(text).token.split(".");
  const algorithm = readPart("header", header, 0).value?.alg;
  const least = typeof algorithm === "string" ? (SIGNATURES[algorithm] ?? 1) : 1;
  return signature.length >= least;
}

/** Without the scheme of a header, and the space around. */
function bare(text: string): { token: string; start: number } {
  const before = /^\s*(?:authorization:\s*)?(?:bearer\s+)?/i.exec(text)?.[0] ?? "";
  return { token: text.slice(before.length).trimEnd(), start: before.length };
}

function formProblems(parts: readonly string[], token: string, start: number): TokenProblem[] {
  const end = start + token.length;
  const says = (message: string, position = end, hint = "a token has three parts, separated by dots") => [
    { message, hint, position },
  ];
  if (token === "") return says("the token is missing", start);
  if (parts.length === 1) return says("the token is cut off in the header");
  if (parts.length === 2) return says("the token is cut off before the signature");
  if (parts[2] === "") return says("the signature is missing or incomplete", end, "registries reject it");
  if (parts.length === 3) return [];
  return says(`expected 3 parts, found ${parts.length}`, start + parts.slice(0, 3).join(".").length);
}

interface Part {
  readonly value: Json | null;
  readonly text: string;
  readonly problems: TokenProblem[];
}

/** A field that is there twice is refused: other readers refuse it too, or take another one. */
function readPart(name: "header" | "claims", part: string, start: number): Part {
  const { text, problem } = base64Url(name, part);
  const problems = problem === null ? [] : [{ ...problem, position: start + problem.position }];
  let message = `the ${name} ${name === "claims" ? "aren't" : "isn't"} a JSON object`;
  try {
    const value: unknown = JSON.parse(text);
    jsonNode(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return { value: value as Json, text, problems };
  } catch (error) {
    if (error instanceof Refusal) message = `${error.message} in the ${name}`;
  }
  if (problems.length === 0) {
    const hint = "the token is cut off, or it isn't a registry token";
    problems.push({ message, hint, position: start });
  }
  return { value: null, text, problems };
}

/** By what the token says of itself; tokens of other issuers say it by what they hold. */
function kindOf(claims: Json | null): DecodedToken["kind"] {
  const type = claims?.grant_type;
  if (type === "access_token" || (type === undefined && Array.isArray(claims?.access))) return "access";
  return type === "refresh_token" ? "refresh" : "other";
}
