/**
 * What the rules alone do not tell: a token that has ended or is disabled, an image of another
 * registry, a map that is not there.
 *
 * An answer that overlooked one of these would say "allowed" to a caller who is refused, so each of
 * them changes the verdict.
 */

import type { Json, Validity } from "../tokens";
import { type Candidate, calledMap, isSameMap, writtenMaps } from "./candidates";
import { liftCommand, obstacles } from "./locks";
import { hostAsked, IDENTITY, type Model, type Question, type Reported, type ScopeMapDraft } from "./model";
import type { PastedToken } from "./pasted-token";
import { isBareName, isNameOf, labelOf } from "./registry";

export interface Caveat {
  text: string;
  /** Whether it refuses the request by itself; otherwise it leaves open what happens. */
  refuses: boolean;
  /** Whether the reason is not in the rules of a map. */
  isElsewhere: boolean;
  /** Whether a change to a scope map helps all the same. */
  keepsFix?: true;
  /** Whether it only says how to see what the token has: what the token needs is said first. */
  isLast?: true;
}

export interface Circumstances {
  model: Model;
  /** The maps that decide. */
  maps: ScopeMapDraft[];
  /** The same, each for itself, as long as it is open which of them it is. */
  candidates: Candidate[];
  pastedToken: PastedToken;
  registry: string;
  /** Whether the held token is in time; null without one that says when it is. */
  validity: Validity | null;
}

/** What speaks against an answer, whatever the rules say. */
export function caveats(circumstances: Circumstances, scopes: string): Caveat[] {
  const { model } = circumstances;
  if (model.whose === "token") {
    return [...ofPastedToken(circumstances), ...ofLocks(model, scopes), ...reportedCaveats(circumstances)];
  }
  // A refused login asked no rule: only the login counts, and what is known of its token.
  if (isLoginRefused(model)) return [...reportedCaveats(circumstances), ...ofTokenState(circumstances)];
  return [
    ...ofIdentity(circumstances),
    ...ofTokenState(circumstances),
    ...ofOtherMap(circumstances),
    ...ofOtherRegistry(circumstances),
    ...ofUncertainMap(circumstances),
    ...ofLocks(model, scopes),
    ...reportedCaveats(circumstances),
    ...ofMissingMap(circumstances),
  ];
}

/** What speaks against "denied": unseen rules may grant it. */
export function caveatsOfDenied({ model, maps }: Circumstances): Caveat[] {
  if (model.whose === "token" || isLoginRefused(model)) return [];
  const partly = maps.filter(({ known }) => known === "partly");
  return partly.map((map) => ({
    ...elsewhere(
      `${nameOf(map)} may have more rules than are written here, so this may be allowed; a fix as ARM or Terraform holds only those that are`,
    ),
    keepsFix: true,
  }));
}

function ofUncertainMap({ maps }: Circumstances): Caveat[] {
  const uncertain = maps.filter(({ known }) => known === "not");
  return uncertain.map((map) => ({
    ...elsewhere(`what ${nameOf(map)} holds now is not certain: paste what \`az acr scope-map show\` prints`),
    keepsFix: true,
  }));
}

function nameOf({ name }: ScopeMapDraft): string {
  return name === "" ? "the scope map" : `the scope map \`${name}\``;
}

function ofLocks(model: Model, scopes: string): Caveat[] {
  return obstacles(model, scopes).map(({ text, isCertain }) => ({
    ...(isCertain ? refusal(text) : open(text)),
    keepsFix: true,
  }));
}

/** Whether a registry has refused a name and a password, or a token. */
export function isLoginRefused({ reported }: Model): boolean {
  return reported?.meaning === "unauthenticated";
}

/** Whether no rule is here that could allow or deny. */
export function isMapMissing({ maps }: Pick<Model, "maps">): boolean {
  return writtenMaps(maps).length === 0;
}

/** What the maps answer, one by one, where it is open which of them the token has. */
export interface Alternative {
  map: ScopeMapDraft;
  verdict: "allowed" | "denied" | "partly";
  /** What is granted, to be compared. */
  access: string;
}

/** What speaks against one answer for all of the maps; nothing where they agree. */
export function ofAlternatives(alternatives: Alternative[], together: Alternative["verdict"]): Caveat[] {
  const [first] = alternatives;
  if (!first) return [];
  const isSame = ({ verdict, access }: Alternative) =>
    verdict === first.verdict && (verdict !== "partly" || access === first.access);
  const twice = alternatives.find(({ map }, index) => alternatives.findIndex((one) => isSameMap(one.map, map)) < index);
  const allowing = alternatives.filter(({ verdict }) => verdict === "allowed");
  const named = (list: Alternative[]) => list.map(({ map }) => calledMap(map)).join(", ");
  if (alternatives.every(isSame)) {
    const isSum = together === "allowed" && first.verdict !== "allowed";
    return isSum ? [open(ONLY_TOGETHER)] : [];
  }
  if (twice) {
    return [open(`${calledMap(twice.map)} is here twice, and the two answer this differently: remove the older one`)];
  }
  if (allowing.length > 0) {
    const others = alternatives.filter(({ verdict }) => verdict !== "allowed");
    return [open(`${named(allowing)} allows this and ${named(others)} does not, and a token has one of them`)];
  }
  if (together === "allowed") return [open(ONLY_TOGETHER)];
  return [open(`${named(alternatives)} answer this differently, and a token has one of them`)];
}

const ONLY_TOGETHER = "only together do these scope maps allow it, and a token of Azure Container Registry has one";

/** What speaks against "allowed" by these maps, or by this token. */
export function caveatsOfAllowed({ model }: Circumstances, scopes: string): Caveat[] {
  const { reported } = model;
  const contradicted = reported && contradictions[reported.meaning];
  return contradicted && isAbout(model, reported, scopes) ? [open(contradicted)] : [];
}

/** A client gets a new token for what it does, and that has what the map grants now. */
export function ofNewToken({ maps, candidates }: Circumstances): Caveat {
  const isCertain = candidates.length === 0 && maps.every(({ known }) => known === undefined);
  return open(
    isCertain
      ? "the pasted token holds this, but the scope map does not grant it now: a client that gets a new token is refused"
      : "the pasted token holds this, but the scope map is not known to grant it now: a client that gets a new token may be refused",
  );
}

const look =
  "look for a missing or older login, another token or scope map, a disabled token, an expired password, or another registry";

const contradictions: Partial<Record<Reported["meaning"], string>> = {
  denied: `this is allowed, and yet it was refused: ${look}`,
  unknown: `this is allowed, and yet it failed: ${look}`,
  absent: "this is allowed, and the registry says that there is nothing of that name: look at the name and the tag",
};

/**
 * Whether what a client said is about what is asked now: its operation, or exactly the scopes that
 * it named.
 */
function isAbout({ question }: Model, { repository, asked }: Reported, scopes: string): boolean {
  if (question.kind === "scope") return scopes === asked;
  const { target } = question;
  return repository === null || [target.repository, target.source].includes(repository);
}

function ofPastedToken({ model, pastedToken, validity }: Circumstances): Caveat[] {
  const token = pastedToken.decoded();
  if (!token?.claims || !validity) return [refusal("the token cannot be read")];
  const { isAccepted, text } = validity;
  return [
    ...token.problems.slice(0, 1).map(({ message, hint }) => refusal(`the token is refused: ${message}; ${hint}`)),
    ...(token.header?.alg === "none" ? [refusal("the token is not signed, and no registry accepts it like this")] : []),
    ...(token.kind === "refresh"
      ? [refusal("a refresh token opens no repository; clients exchange it for an access token")]
      : []),
    ...(isAccepted ? [] : [refusal(`the token is refused: ${text}`)]),
    ...ofAudience(model, token.claims),
  ];
}

function ofAudience({ question }: Model, { aud }: Json): Caveat[] {
  if (typeof aud !== "string") return [refusal("the token does not name the one registry that it is for")];
  const host = hostAsked(question);
  const isSameHost = aud.toLowerCase() === host.toLowerCase();
  if (host === "" || isSameHost || (isBareName(host) && labelOf(aud) === host.toLowerCase())) return [];
  return [refusal(`the token is for \`${aud}\`, and what is asked goes to \`${host}\``)];
}

function ofMissingMap({ model, registry }: Circumstances): Caveat[] {
  if (!isMapMissing(model)) return [];
  const known = registry || labelOf(hostAsked(model.question));
  const command = `az acr scope-map show --name … --registry ${known || "…"} -o json`;
  const missing = elsewhere(`to see what this token has now, paste the output of \`${command}\``);
  return [{ ...missing, keepsFix: true, isLast: true }];
}

const states: Record<Model["token"]["state"], string> = {
  enabled: "",
  disabled: "is disabled",
  "password-expired": "has no password that is valid",
  "password-regenerated": "has another password now",
  deleted: "was deleted",
  unknown: "",
};

function ofTokenState({ model: { token } }: Circumstances): Caveat[] {
  const state = states[token.state];
  if (token.state === "unknown") {
    return [
      open(`whether the token \`${token.name}\` is enabled and has a valid password is not known from what is here`),
    ];
  }
  return state === ""
    ? []
    : [
        {
          text: `the token \`${token.name}\` ${state}: it gets no new access token (the panel Token can change that)`,
          refuses: true,
          isElsewhere: true,
        },
      ];
}

function ofIdentity({ model: { token } }: Circumstances): Caveat[] {
  if (token.name !== IDENTITY) return [];
  return [elsewhere("an identity has logged in and no token: its roles decide, and no scope map does")];
}

function ofOtherMap({ model: { token }, maps }: Circumstances): Caveat[] {
  const wanted = token.scopeMap.toLowerCase();
  const named = maps.filter(({ name }) => name.toLowerCase() === wanted);
  if (wanted === "") {
    const text = `which scope map the token \`${token.name}\` has is computed from what is not here`;
    return token.facts?.hasUnknownMap ? [open(text)] : [];
  }
  if (named.length === 0) {
    return [open(`the token \`${token.name}\` uses the scope map \`${token.scopeMap}\`, which is not the one here`)];
  }
  const isHere = token.registry === "" || named.some(({ registry }) => isSame(registry, token.registry));
  return isHere ? [] : [open(`the token \`${token.name}\` is of \`${token.registry}\`, and the scope map is not`)];
}

/** A registry that is not named may be any. */
function isSame(one: string, other: string): boolean {
  return one === "" || one.toLowerCase() === other.toLowerCase();
}

function ofOtherRegistry({ model: { question }, maps }: Circumstances): Caveat[] {
  const known = maps.map(({ registry }) => registry).filter((registry) => registry !== "");
  const [registry] = known;
  const host = hostAsked(question);
  if (host === "") return question.kind === "operation" ? ofNoHost(question.operation) : [];
  if (PUBLIC.test(host)) return [elsewhere(`this goes to \`${host}\`, and no scope map decides anything there`)];
  if (registry === undefined) return [];
  const label = labelOf(host);
  if (label === "") {
    return [open(`this goes to \`${host}\`; what the scope map says holds if that is an address of \`${registry}\``)];
  }
  if (known.some((name) => isNameOf(name, label))) return [];
  return [elsewhere(`this goes to \`${host}\`; this scope map is of \`${registry}\` and decides nothing there`)];
}

/** Well-known registries. */
const PUBLIC =
  /^(?:(?:[\w.-]+\.)?docker\.io|ghcr\.io|quay\.io|mcr\.microsoft\.com|(?:[\w.-]+\.)?gcr\.io|[\w.-]+\.pkg\.dev|public\.ecr\.aws|registry\.k8s\.io|registry\.gitlab\.com)$/i;

/** The other clients are told the registry apart, or not at all. */
const HUB = /^(docker|podman|skopeo|crane|oras)-/;

function ofNoHost(operation: string): Caveat[] {
  const [, client] = HUB.exec(operation) ?? [];
  if (!client) return [];
  const where = client === "docker" ? "asks Docker Hub" : "looks for it elsewhere, as on Docker Hub";
  return [elsewhere(`the image names no registry, so ${client} ${where}; a scope map decides nothing there`)];
}

const LOGIN_REFUSED =
  "the registry refused the login, so scope maps aren't the cause: check the token's name, its password and expiry, and the image pull secret";

/** What a client said, where no scope map changes it. */
export function reportedCaveats({ model: { reported, question } }: Circumstances): Caveat[] {
  if (reported?.meaning === "unauthenticated") return [elsewhere(LOGIN_REFUSED)];
  if (reported?.meaning === "unavailable") return [elsewhere(UNAVAILABLE)];
  if (reported?.meaning === "locked") return [{ ...elsewhere(lockedText(question)), keepsFix: true }];
  if (reported?.meaning !== "unreachable") return [];
  return [
    elsewhere(
      "the registry was not reached, or its firewall refuses this address, and no scope map changes that: check its name, the network and the registry's rules for networks",
    ),
  ];
}

const UNAVAILABLE =
  "the registry was unavailable or had too many requests, and judged neither the login nor the rights: try again later";

/** Quarantine and a registry of the classic tier say the same, and are rare. */
function lockedText(question: Question): string {
  const { repository, tag, digest } =
    question.kind === "operation" ? question.target : { repository: "", tag: "", digest: undefined };
  const image = digest === undefined ? `${repository}:${tag}` : `${repository}@${digest}`;
  const command = liftCommand(hostAsked(question), repository === "" ? "…" : image, "write");
  return `the registry said that the operation is disallowed, so the image or its repository is locked, and no scope map changes that: \`${command}\` lifts a lock against writing, and the same with \`--repository\` that of all images`;
}

function refusal(text: string): Caveat {
  return { text, refuses: true, isElsewhere: true };
}

function elsewhere(text: string): Caveat {
  return { text, refuses: false, isElsewhere: true };
}

function open(text: string): Caveat {
  return { text, refuses: false, isElsewhere: false };
}
