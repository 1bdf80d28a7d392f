// Whether a token is genuine, in time and meant for this registry; follows `AccessClaims::read` of
// crates/scopegate-api.
//
// Of the header only `alg`, `kid`, `crit` and `b64` are read: a key that a token brings along
// proves nothing.

import type { Key, Keys } from "./keys.ts";

/** A token that was verified. */
export interface Token {
  readonly key: Key;
  readonly expires: number;
  readonly sub: string;
  readonly principal: string | undefined;
  readonly generation: number | undefined;
  readonly provider: string | undefined;
  readonly epoch: string | undefined;
  /** The access entries as scopes, one a line. */
  readonly access: string;
}

export interface Expected {
  readonly issuer: string;
  readonly service: string;
}

const LEEWAY = 60;
const LONGEST_LIFETIME = 3 * 60 * 60;
const LONGEST_TOKEN = 64 * 1024;
const MOST_KEPT = 4096;
const TEXTS = ["jti", "sub", "iss", "aud", "version", "rid"];
const decoder = new TextDecoder("utf-8", { fatal: true });

export class Tokens {
  readonly #keys: Keys;
  readonly #expected: Expected;
  readonly #now: () => number;
  /** By digest, the oldest first. */
  readonly #verified = new Map<string, Token>();

  constructor(keys: Keys, expected: Expected, now: () => number = Date.now) {
    this.#keys = keys;
    this.#expected = expected;
    this.#now = now;
  }

  /** The token in this text; nothing when it is no good. */
  async verify(text: string): Promise<Token | undefined> {
    if (text.length > LONGEST_TOKEN) return undefined;
    const digest = encode(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
    const known = this.#verified.get(digest);
    if (known && this.#isGood(known)) return known;
    this.#verified.delete(digest);
    const token = await this.#read(text);
    if (token) this.#keep(digest, token);
    return token;
  }

  #isGood(token: Token): boolean {
    return this.#keys.has(token.key) && seconds(this.#now()) < token.expires;
  }

  #keep(digest: string, token: Token): void {
    const [oldest] = this.#verified.keys();
    if (this.#verified.size >= MOST_KEPT && oldest !== undefined) this.#verified.delete(oldest);
    this.#verified.set(digest, token);
  }

  async #read(text: string): Promise<Token | undefined> {
    const [header, payload, signature, ...rest] = text.split(".");
    if (!header || !payload || !signature || rest.length > 0) return undefined;
    const head = record(json(header));
    const sealed = decode(signature);
    const isExtended = head?.crit !== undefined || head?.b64 !== undefined;
    if (typeof head?.kid !== "string" || isExtended || !sealed) return undefined;
    const key = await this.#keys.find(head.kid);
    if (!key || head.alg !== key.algorithm) return undefined;
    const isGenuine = await key.verify(sealed, new TextEncoder().encode(`${header}.${payload}`));
    return isGenuine ? readClaims(record(json(payload)), key, this.#expected, seconds(this.#now())) : undefined;
  }
}

function readClaims(claims: Fields | undefined, key: Key, expected: Expected, now: number): Token | undefined {
  if (!claims || !TEXTS.every((name) => typeof claims[name] === "string")) return undefined;
  if (claims.iss !== expected.issuer || claims.aud !== expected.service) return undefined;
  if (claims.grant_type !== "access_token") return undefined;
  const { nbf, exp, iat, generation, principal, provider, epoch } = claims;
  if (!isCount(nbf) || !isCount(exp) || !isCount(iat)) return undefined;
  if (nbf > now + LEEWAY || now >= exp + LEEWAY || exp - nbf > LONGEST_LIFETIME) return undefined;
  if ((generation ?? null) !== null && !isCount(generation)) return undefined;
  if ((principal ?? null) !== null && typeof principal !== "string") return undefined;
  if ((provider ?? null) !== null && typeof provider !== "string") return undefined;
  if ((epoch ?? null) !== null && typeof epoch !== "string") return undefined;
  const access = readAccess(claims.access);
  if (access === undefined) return undefined;
  return {
    key,
    expires: exp + LEEWAY,
    sub: claims.sub as string,
    principal: (principal as string | null | undefined) ?? undefined,
    generation: (generation as number | null | undefined) ?? undefined,
    epoch: (epoch as string | null | undefined) ?? undefined,
    provider: (provider as string | null | undefined) ?? undefined,
    access,
  };
}

/**
 * Entries as scopes, one a line. What would be read as something else there is left out, and grants
 * nothing: a name of two lines, a type with a colon, an action that is two.
 */
function readAccess(access: unknown): string | undefined {
  if (!Array.isArray(access)) return undefined;
  const lines: string[] = [];
  for (const entry of access) {
    const { type, name, actions = [] } = record(entry) ?? {};
    if (typeof type !== "string" || typeof name !== "string" || !isTexts(actions)) return undefined;
    const isPlain = !type.includes(":") && !`${type}${name}`.includes("\n");
    if (isPlain) lines.push(`${type}:${name}:${actions.filter((action) => /^[a-z_*]+$/.test(action)).join(",")}`);
  }
  return lines.join("\n");
}

type Fields = Record<string, unknown>;

function record(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((text) => typeof text === "string");
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}

function json(part: string): unknown {
  try {
    const bytes = decode(part);
    return bytes && JSON.parse(decoder.decode(bytes));
  } catch {
    return undefined;
  }
}

/** The bytes of base64url; nothing for another spelling of them. */
function decode(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(text) || text.length % 4 === 1) return undefined;
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function encode(bytes: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}
