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
import { problemText } from "./words";

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
      `${nameOf(map)} may have more rules than are shown here, so this may be allowed: a fix as ARM or Terraform contains only the rules shown`,
    ),
    keepsFix: true,
  }));
}

function ofUncertainMap({ maps }: Circumstances): Caveat[] {
  const uncertain = maps.filter(({ known }) => known === "not");
  return uncertain.map((map) => ({
    ...elsewhere(`the current rules of ${nameOf(map)} aren't certain: paste the output of \`az acr scope-map show\``),
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
    return [open(`two versions of ${calledMap(twice.map)} give different answers: remove the older one`)];
  }
  if (allowing.length > 0) {
    const others = alternatives.filter(({ verdict }) => verdict !== "allowed");
    return [
      open(
        `${named(allowing)} ${allowing.length > 1 ? "allow" : "allows"} this, but ${named(others)} ${others.length > 1 ? "don't" : "doesn't"}: which one does the token use?`,
      ),
    ];
  }
  if (together === "allowed") return [open(ONLY_TOGETHER)];
  return [open(`${named(alternatives)} give different answers: which one does the token use?`)];
}

const ONLY_TOGETHER = "no single scope map allows this, and an Azure Container Registry token has only one";

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
      ? "the pasted token allows this, but the scope map doesn't grant it now: clients that get a new token will be refused"
      : "the pasted token allows this, but the scope map may not grant it now: clients that get a new token may be refused",
  );
}

const look =
  "check that you're logged in to this registry with this token, that the token is enabled and its password hasn't expired, and that it uses this scope map";

const contradictions: Partial<Record<Reported["meaning"], string>> = {
  denied: `this should be allowed, but the registry refused it: ${look}`,
  unknown: `this should be allowed, but it failed: ${look}`,
  absent: "this is allowed, but the registry has nothing by that name: check the name and tag",
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
  if (!token?.claims || !validity) return [refusal("the token can't be read")];
  const { isAccepted, text } = validity;
  return [
    ...token.problems.slice(0, 1).map((problem) => refusal(`registries reject the token: ${problemText(problem)}`)),
    ...(token.header?.alg === "none" ? [refusal("the token isn't signed, so registries reject it")] : []),
    ...(token.kind === "refresh"
      ? [refusal("refresh tokens can't access repositories: clients exchange them for access tokens")]
      : []),
    ...(isAccepted ? [] : [refusal(`registries reject the token: ${text}`)]),
    ...ofAudience(model, token.claims),
  ];
}

function ofAudience({ question }: Model, { aud }: Json): Caveat[] {
  if (typeof aud !== "string") return [refusal("the token doesn't name its registry (`aud`)")];
  const host = hostAsked(question);
  const isSameHost = aud.toLowerCase() === host.toLowerCase();
  if (host === "" || isSameHost || (isBareName(host) && labelOf(aud) === host.toLowerCase())) return [];
  return [refusal(`the token is for \`${aud}\`, but the request goes to \`${host}\``)];
}

function ofMissingMap({ model, registry }: Circumstances): Caveat[] {
  if (!isMapMissing(model)) return [];
  const known = registry || labelOf(hostAsked(model.question));
  const command = `az acr scope-map show --name … --registry ${known || "…"} -o json`;
  const missing = elsewhere(`to see what this token has now, paste the output of \`${command}\``);
  return [{ ...missing, keepsFix: true, isLast: true }];
}

const NO_TOKEN = ", so it can't get an access token";

const states: Record<Model["token"]["state"], string> = {
  enabled: "",
  disabled: `is disabled${NO_TOKEN}`,
  "password-expired": `has no valid password${NO_TOKEN}`,
  "password-regenerated": "has a new password, so the old one gets no access token",
  deleted: `was deleted${NO_TOKEN}`,
  unknown: "",
};

function ofTokenState({ model: { token } }: Circumstances): Caveat[] {
  const state = states[token.state];
  if (token.state === "unknown") {
    return [open(`it isn't known whether token \`${token.name}\` is enabled and has a valid password`)];
  }
  return state === ""
    ? []
    : [
        {
          text: `token \`${token.name}\` ${state}: change this in the Token tab`,
          refuses: true,
          isElsewhere: true,
        },
      ];
}

function ofIdentity({ model: { token } }: Circumstances): Caveat[] {
  if (token.name !== IDENTITY) return [];
  return [elsewhere("you're signed in with Microsoft Entra ID: Azure roles decide, not scope maps")];
}

function ofOtherMap({ model: { token }, maps }: Circumstances): Caveat[] {
  const wanted = token.scopeMap.toLowerCase();
  const named = maps.filter(({ name }) => name.toLowerCase() === wanted);
  if (wanted === "") {
    const text = `the scope map of token \`${token.name}\` is computed from values that aren't here`;
    return token.facts?.hasUnknownMap ? [open(text)] : [];
  }
  if (named.length === 0) {
    return [open(`token \`${token.name}\` uses scope map \`${token.scopeMap}\`, which isn't here`)];
  }
  const isHere = token.registry === "" || named.some(({ registry }) => isSame(registry, token.registry));
  return isHere ? [] : [open(`token \`${token.name}\` belongs to \`${token.registry}\`, but this scope map doesn't`)];
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
  if (PUBLIC.test(host)) return [elsewhere(`\`${host}\` doesn't use these scope maps`)];
  if (registry === undefined) return [];
  const label = labelOf(host);
  if (label === "") {
    return [open(`this answer applies only if \`${host}\` is another address of \`${registry}\``)];
  }
  if (known.some((name) => isNameOf(name, label))) return [];
  return [elsewhere(`the request goes to \`${host}\`, but this scope map belongs to \`${registry}\``)];
}

/** Well-known registries. */
const PUBLIC =
  /^(?:(?:[\w.-]+\.)?docker\.io|ghcr\.io|quay\.io|mcr\.microsoft\.com|(?:[\w.-]+\.)?gcr\.io|[\w.-]+\.pkg\.dev|public\.ecr\.aws|registry\.k8s\.io|registry\.gitlab\.com)$/i;

/** The other clients are told the registry apart, or not at all. */
const HUB = /^(docker|podman|skopeo|crane|oras)-/;

function ofNoHost(operation: string): Caveat[] {
  const [, client] = HUB.exec(operation) ?? [];
  if (!client) return [];
  const where = client === "docker" ? "uses Docker Hub" : "uses another registry, such as Docker Hub";
  return [
    elsewhere(
      `the image has no registry name, so ${client} ${where}: add the registry, for example \`myregistry.azurecr.io/…\``,
    ),
  ];
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
      "the registry couldn't be reached, or its firewall blocked you: check its name, your network and the registry's network rules",
    ),
  ];
}

const UNAVAILABLE =
  "the registry was unavailable or overloaded, and checked neither the login nor the permissions: try again later";

/** Quarantine and a registry of the classic tier say the same, and are rare. */
function lockedText(question: Question): string {
  const { repository, tag, digest } =
    question.kind === "operation" ? question.target : { repository: "", tag: "", digest: undefined };
  const image = digest === undefined ? `${repository}:${tag}` : `${repository}@${digest}`;
  const command = liftCommand(hostAsked(question), repository === "" ? "…" : image, "write");
  return `the registry disallows this operation, so the image or its repository is locked: \`${command}\` removes a write lock; with \`--repository\` it removes that of all images`;
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
