// What an operator sets, as bindings of the worker. A worker with settings that mean nothing
// answers nothing but 503.

/** Another worker, or an external service of workerd. */
export interface Fetcher {
  fetch(request: Request | string, init?: RequestInit): Promise<Response>;
}

/** The bindings as they come. */
export interface Bindings {
  readonly ISSUER: string;
  readonly SERVICE: string;
  readonly REALM: string;
  readonly JWKS_URL: string;
  readonly ORIGIN: string;
  readonly PROFILE?: string;
  readonly UNTAG?: string;
  readonly GENERATIONS_URL?: string;
  readonly GENERATIONS_AUTHORIZATION?: string;
  readonly GENERATIONS_MAX_AGE?: string;
  /** Where the origin is no public address. */
  readonly REGISTRY?: Fetcher;
  /** Where the token server is no public address. */
  readonly TOKENS?: Fetcher;
}

/** The settings, checked. */
export interface Settings {
  readonly issuer: string;
  readonly service: string;
  readonly realm: string;
  readonly jwks: string;
  /** Scheme and authority, without a path. */
  readonly origin: string;
  /** Profile and untag, as the engine takes them. */
  readonly engine: number;
  readonly generations: Feed | undefined;
  readonly registry: Fetcher;
  readonly tokens: Fetcher;
}

/** Where revocations come from. */
export interface Feed {
  readonly url: string;
  readonly authorization: string;
  /** How old the last good answer may be, in milliseconds, before no token is accepted any more. */
  readonly maxAge: number;
}

const world: Fetcher = { fetch: (request, init) => fetch(request, init) };

export function readSettings(bindings: Bindings): Settings {
  return {
    issuer: required(bindings, "ISSUER"),
    service: required(bindings, "SERVICE"),
    realm: address(bindings, "REALM").href,
    jwks: address(bindings, "JWKS_URL").href,
    origin: address(bindings, "ORIGIN").origin,
    engine:
      choice(bindings, "PROFILE", ["acr", "distribution"]) * 4 +
      choice(bindings, "UNTAG", ["delete", "metadata-write"]) * 16,
    generations: feed(bindings),
    registry: bindings.REGISTRY ?? world,
    tokens: bindings.TOKENS ?? world,
  };
}

function feed(bindings: Bindings): Feed | undefined {
  if (!bindings.GENERATIONS_URL) return undefined;
  const seconds = Number(bindings.GENERATIONS_MAX_AGE ?? "30");
  if (!(seconds >= 2)) throw new Error("GENERATIONS_MAX_AGE must be a number of seconds, at least 2");
  return {
    url: address(bindings, "GENERATIONS_URL").href,
    authorization: required(bindings, "GENERATIONS_AUTHORIZATION"),
    maxAge: seconds * 1000,
  };
}

type Text = Exclude<keyof Bindings, "REGISTRY" | "TOKENS">;

function required(bindings: Bindings, name: Text): string {
  const value = bindings[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

function address(bindings: Bindings, name: Text): URL {
  const url = URL.parse(required(bindings, name));
  if (url?.protocol !== "https:" && url?.protocol !== "http:") throw new Error(`${name} is not an address`);
  return url;
}

/** The index of a value among those that it may be; the first when it is not set. */
function choice(bindings: Bindings, name: Text, words: readonly string[]): number {
  const index = words.indexOf(bindings[name] || (words[0] ?? ""));
  if (index < 0) throw new Error(`${name} is none of ${words.join(", ")}`);
  return index;
}
