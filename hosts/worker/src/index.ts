// A Cloudflare Worker before a registry: it verifies the token, the engine decides, and what may
// pass goes on.
//
// `Request.url` keeps the path as it came, dot segments and escapes included; parsing it would not.
// The engine sees that spelling, and the registry gets the engine's. Left out: Basic credentials,
// which the token server takes.

import { type Admission, Credential, Engine, type Question } from "./engine.ts";
import { forward } from "./forward.ts";
import { Keys } from "./keys.ts";
import { Revocations } from "./revocations.ts";
import module from "./scopegate.wasm";
import { type Bindings, readSettings, type Settings } from "./settings.ts";
import { Tokens } from "./token.ts";

interface Context {
  waitUntil(work: Promise<unknown>): void;
}

/** What is kept from one request to the next. */
interface Edge {
  readonly settings: Settings;
  readonly tokens: Tokens;
  readonly revocations: Revocations | undefined;
}

const engine = new Engine(module);
/** An instance of its own: a trap at a request does not end what is known of revocations. */
const feedEngine = new Engine(module);
let edge: Edge | undefined;

export default {
  async fetch(request: Request, bindings: Bindings, context: Context): Promise<Response> {
    try {
      edge ??= makeEdge(readSettings(bindings));
      return await serve(request, edge, context);
    } catch (error) {
      console.error(`not answered: ${error instanceof Error ? error.message : "unknown"}`);
      return unavailable(request.method);
    }
  },
};

function makeEdge(settings: Settings): Edge {
  const keys = new Keys(settings.jwks, settings.tokens, engine);
  const tokens = new Tokens(keys, engine, settings);
  // A key that leaked is replaced with a new epoch.
  const renew = () => keys.renew();
  const { generations, tokens: server } = settings;
  const revocations = generations && new Revocations(generations, server, feedEngine, Date.now, renew);
  return { settings, tokens, revocations };
}

async function serve(request: Request, edge: Edge, context: Context): Promise<Response> {
  const { realm, service, engine: settings } = edge.settings;
  const credential = await credentialOf(request, edge, context);
  const { method, url, headers } = request;
  const admission = engine.admit({ method, target: targetOf(url), headers, ...credential, realm, service, settings });
  if (admission.kind === "refusal") return refusal(method, admission);
  if (admission.target === "/v2/") return json(method, 200, "{}\n");
  return forward(request, admission, engine.headerRules, edge.settings);
}

/** What follows the authority of an address, unchanged. */
export function targetOf(url: string): string {
  const authority = url.indexOf("://") + 3;
  const length = url.slice(authority).search(/[/?]/);
  return length < 0 ? "" : url.slice(authority + length);
}

async function credentialOf(
  request: Request,
  { tokens, revocations }: Edge,
  context: Context,
): Promise<Pick<Question, "credential" | "access">> {
  const header = request.headers.get("authorization");
  if (header === null) return { credential: Credential.Absent, access: "" };
  const [, text] = /^bearer ([\w.-]+)$/i.exec(header) ?? [];
  const token = text === undefined ? undefined : await tokens.verify(text);
  const isRevoked = token && (await revocations?.revoked(token, (work) => context.waitUntil(work)));
  if (!token || isRevoked) return { credential: Credential.Invalid, access: "" };
  return { credential: Credential.Valid, access: token.access };
}

function refusal(method: string, { status, challenge, body }: Extract<Admission, { kind: "refusal" }>): Response {
  const response = json(method, status, body);
  if (challenge !== "") response.headers.set("www-authenticate", challenge);
  return response;
}

function unavailable(method: string): Response {
  const error = { code: "UNAVAILABLE", message: "service unavailable", detail: null };
  return json(method, 503, `${JSON.stringify({ errors: [error] })}\n`);
}

function json(method: string, status: number, body: string): Response {
  const headers = {
    "content-type": "application/json; charset=utf-8",
    "docker-distribution-api-version": "registry/2.0",
  };
  return new Response(method === "HEAD" ? null : body, { status, headers });
}
