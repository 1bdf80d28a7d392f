/**
 * Lines of errors as docker, podman, skopeo, helm, oras, crane, `az`, containerd and the kubelet
 * write them.
 *
 * What the line is about is in the address of the failed request, which the engine's router
 * reads, or in the reference of an image. What it means, a few phrases tell.
 */

import { readDocument } from "../documents/document";
import { endOfBrackets, endOfLine } from "../documents/extent";
import { type Reference, readScopes, route } from "../engine";
import { accepted } from "./attempt";
import { classifyError } from "./classify-error";
import { contents } from "./contents";
import { escapedIn } from "./escaped";
import { namedByFields } from "./fields";
import type { ErrorClass, FoundError } from "./found";
import { referenceOf } from "./names";
import { lineAt, onePart, type Reading } from "./reading";
import { scopesOf, scopesOfAddress } from "./scopes";
import { withoutSecrets } from "./secrets";

/** Longer lines are read as far as this. */
const MAX_TEXT = 4000;

export function readError(text: string, at: number): Reading | null {
  const push = readPush(text, at);
  if (push) return push;
  const line = lineAt(text, at);
  // What a program logs while it works is no failure: the first answer of every registry is a
  // refusal.
  if (WORKING.test(line)) return { parts: [], to: at + line.length };
  const reading = readErrorIn(line, at);
  const [part] = reading?.parts ?? [];
  return part?.found.kind === "error" && part.found.repository === null
    ? (withFields(text, at, line) ?? reading)
    : reading;
}

const WORKING = /^(?:time="?[^\s"]{1,60}"? )?(?:(?:DEBU|INFO|TRAC)\[\d+\]|level="?(?:debug|info|trace)\b)/;

/** An error in a text that is one line, or a document that is one record of a log. */
export function readErrorIn(line: string, at: number): Reading | null {
  const escaped = escapedIn(line, at);
  if (escaped.length > 0) return { parts: escaped, to: at + line.length };
  const errorClass = classifyError(line);
  return errorClass && (readBody(at, line) ?? onePart(at, at + line.length, errorIn(line, errorClass)));
}

/** Some logs say below the line what it is about, a field in each line. */
function withFields(text: string, at: number, line: string): Reading | null {
  let to = at + line.length;
  for (let count = 0; count < MAX_FIELDS; count++) {
    const next = endOfLine(text, to) + 1;
    if (next >= text.length || !/^\s{2,}["']?[\w.]{1,60}["']?\s?[:=]\s/.test(text.slice(next, next + 100))) break;
    to = endOfLine(text, next);
  }
  const whole = text.slice(at, to).trimEnd();
  return whole.length === line.length ? null : readErrorIn(whole.replaceAll("\n", " "), at);
}

const MAX_FIELDS = 40;

/** `az acr import` puts the registry's whole answer into its line. */
function readBody(at: number, line: string): Reading | null {
  const start = line.indexOf('{"errors":');
  const end = start < 0 ? null : endOfBrackets(line, start);
  if (end === null) return null;
  const document = readDocument(line.slice(start, end), at + start);
  if (document.kind === "problem") return null;
  const parts = contents(document, { from: at, to: at + line.length });
  // A body without details says less than the line around it.
  const says = parts.some(({ found }) => found.kind === "unauthorized" && found.required.length > 0);
  return says || requestsIn(line).length + (imageIn(line) ? 1 : 0) === 0 ? { parts, to: at + line.length } : null;
}

/**
 * docker says first what it pushes to, then how each layer fares, and at the end why it may not.
 */
function readPush(text: string, at: number): Reading | null {
  const [, word] = /^The push refers to (?:a )?repository \[([^\]\s]+)\]/.exec(lineAt(text, at)) ?? [];
  const reference = word ? referenceOf(word) : null;
  if (!reference) return null;
  let line = endOfLine(text, at) + 1;
  while (line < text.length && /^\s*(?:[0-9a-f]{6,}: |$)/.test(lineAt(text, line))) line = endOfLine(text, line) + 1;
  const last = lineAt(text, line);
  const errorClass = classifyError(last);
  if (!errorClass) return { parts: [], to: Math.min(line, text.length) - 1 };
  return onePart(at, line + last.length, {
    ...errorIn(last, errorClass),
    ...about(reference, "pull,push"),
  });
}

function errorIn(line: string, errorClass: ErrorClass): FoundError {
  const error: FoundError = {
    kind: "error",
    text: withoutSecrets(line.slice(0, MAX_TEXT)),
    errorClass,
    registry: null,
    repository: null,
    required: [],
  };
  const requests = requestsIn(line);
  const facts =
    requests.find(({ required }) => required.length > 0) ??
    scopesIn(line) ??
    imageIn(line) ??
    namedByFields(line) ??
    requests[0];
  const isRefusedAtDoor = requests.some(({ isDoor }) => isDoor) && REFUSED.test(line);
  const { registry = null, repository = null, required = [] } = facts ?? {};
  const clear = errorClass === "unknown" && isRefusedAtDoor ? "unauthenticated" : errorClass;
  return { ...error, errorClass: clear, registry: registry ?? registryIn(line), repository, required };
}

/** Without one of these words it is not said that a login was required. */
const REFUSED = /unauthori[sz]ed|authentication required|\b401\b|denied|forbidden|insufficient/i;

interface Facts {
  registry: string | null;
  repository: string | null;
  required: string[];
}

interface Request extends Facts {
  /** Whether any valid credentials open this address: the token server, and the base of the API. */
  isDoor: boolean;
}

const ADDRESS = /(?:\b(get|head|post|put|patch|delete)\s(?:request to )?)?[\\"']{0,4}(https?:\/\/[^\s"'\\]+)/gi;

/** What is asked in the first addresses of a line. */
function requestsIn(line: string): Request[] {
  const start = line.slice(0, MAX_TEXT);
  const broken = brokenRequestIn(start);
  if (broken) return [broken];
  const matches = [...start.matchAll(ADDRESS)].slice(0, 4);
  return matches.flatMap(([, method = "GET", address = ""]) => {
    const url = accepted(() => new URL(address.replace(/[.,:;)\]]+$/, "")));
    return url ? requestTo(url, method.toUpperCase()) : [];
  });
}

/** A request for a token whose address was printed without its host. */
function brokenRequestIn(line: string): Request | null {
  const [, query] = /\bhttps?:\/{0,2}\?([^\s"'\\]{1,2000})/.exec(line) ?? [];
  if (!query) return null;
  const parameters = new URLSearchParams(query.replace(/[.,:;)\]]+$/, ""));
  const required = written(parameters.getAll("scope").join(" "));
  if (required.length === 0) return null;
  return { registry: parameters.get("service"), repository: repositoryOf(required), required, isDoor: true };
}

/** A page that explains the error is no address of the registry. */
function requestTo(url: URL, method: string): Request[] {
  const asked = scopesOfAddress(url.href);
  const routed = accepted(() => route(method, url.pathname + url.search, "acr"));
  const isToken = asked !== null || url.pathname.startsWith("/oauth2/");
  if (!isToken && !/^\/(?:v2|acr\/v1|helm\/v1)\//.test(url.pathname)) return [];
  const required = asked === null ? (routed?.scopes ?? []) : written(asked);
  return [
    { registry: url.host, repository: repositoryOf(required), required, isDoor: isToken || required.length === 0 },
  ];
}

/** Scopes in their one spelling. */
function written(asked: string): string[] {
  return scopesOf(accepted(() => readScopes(asked))?.scopes ?? []);
}

function repositoryOf(required: string[]): string | null {
  const report = accepted(() => readScopes(required.join(" ")));
  return report?.scopes.find(({ type }) => type === "repository")?.name ?? null;
}

const DETAIL = /map\[Action:(\S+) (?:Class:\S* )?Name:(\S+) Type:(\w+)/g;
const SCOPE = /\b(?:repository|registry|artifact-repository)(?:\([a-z0-9]+\))?:[^\s"'\])]+:[a-z_,*]+/g;

/** The scopes that a line names: in the details that Go clients print, or as they are. */
function scopesIn(line: string): Facts | null {
  const start = line.slice(0, MAX_TEXT);
  const entries = [...start.matchAll(DETAIL)].map(([, action, name, type]) => ({
    type,
    name,
    action,
  }));
  const required = entries.length > 0 ? scopesOf(entries) : written((start.match(SCOPE) ?? []).join(" "));
  return required.length > 0 ? { registry: null, repository: repositoryOf(required), required } : null;
}

const PATH = /\bto (\/v2\/\S+) in (\S+?):?(?:\s|$)/;
const IMAGE =
  /(docker:\/\/|oci:\/\/|registry:\/\/|docker-image:\/\/|pull image|pulling image|resolve reference|and unpack image|failed to push|access denied for|credentials for|permissions for|unauthorized for|manifest for|reading manifest \S{1,200} in|exists in)\s{0,3}\\?["']?([^\s"'\\,]+)/i;

/** The image that a line names, or the path that it was sent to. */
function imageIn(line: string): Facts | null {
  const start = line.slice(0, MAX_TEXT);
  const [, path = "", registry = null] = PATH.exec(start) ?? [];
  const uploaded = accepted(() => route("POST", path, "acr"))?.scopes;
  if (uploaded) return { registry, repository: repositoryOf(uploaded), required: uploaded };
  const [, phrase = "", word = ""] = IMAGE.exec(start) ?? [];
  const reference = word ? referenceOf(word.replace(/[.:\])]+$/, "")) : null;
  if (!reference) return null;
  return about(reference, /push|exists in/i.test(phrase) ? "pull,push" : "pull");
}

function about({ registry, repository }: Reference, actions: string): Facts {
  return { registry, repository, required: [`repository:${repository}:${actions}`] };
}

function registryIn(line: string): string | null {
  return /\bregistry ["']([\w.:-]{1,255})["']/i.exec(line)?.[1] ?? null;
}
