/**
 * `az acr`: repositories, tokens, scope maps, logins and imports.
 */

import { type Reference, readReference } from "../../engine";
import { accepted } from "../attempt";
import type { Change, Flag, FoundCommand, FoundUnknown, Lock, Operation, PasswordChange, TokenStatus } from "../found";
import { referenceOf, refusalOf } from "../names";
import { unknown } from "../reading";
import { commandIn, type Options, resolved } from "./az-options";
import { readAzArguments } from "./options";
import type { Word } from "./words";

const OPERATIONS: Record<string, Operation> = {
  login: "login",
  import: "import",
  delete: "registry-delete",
  "repository list": "repository-list",
  "repository show": "repository-show",
  "repository show-tags": "repository-show-tags",
  "repository show-manifests": "manifest-list",
  "repository delete": "repository-delete",
  "repository untag": "repository-untag",
  "repository update": "repository-update",
  "manifest list": "manifest-list",
  "manifest list-metadata": "manifest-list",
  "manifest metadata list": "manifest-list",
  "manifest show-metadata": "manifest-show",
  "manifest metadata show": "manifest-show",
  "manifest update-metadata": "manifest-update",
  "manifest metadata update": "manifest-update",
  "token create": "token-create",
  "token delete": "token-delete",
  "token show": "token-show",
  "token update": "token-update",
  "token credential delete": "token-credential-delete",
  "token credential generate": "token-credential-generate",
  "scope-map create": "scope-map-create",
  "scope-map delete": "scope-map-delete",
  "scope-map show": "scope-map-show",
  "scope-map update": "scope-map-update",
};

/** These are about tokens and scope maps, and about no image. */
const CHANGES = /^(?:token|scope-map|registry)-/;
const MANIFEST = /^manifest-/;

/** A command, and why `az` does not take it as it is written. */
export interface AzCommand {
  found: FoundCommand;
  refused: FoundUnknown[];
}

/**
 * What the command asks, or what is wrong with the image that it names; `null` when it asks
 * nothing that is known.
 */
export function readAz(words: Word[]): AzCommand | FoundUnknown | null {
  const { given, rest } = readAzArguments(words);
  const [group, ...names] = rest.map(({ text }) => text);
  const name = commandIn(names);
  const operation = name === null ? undefined : OPERATIONS[name];
  if (group !== "acr" || name === null || !operation) return null;
  const { options, refused } = resolved(name, given);
  const registry = registryIn(options, operation);
  const [image] = rest.slice(name.split(" ").length + 1);
  const written = CHANGES.test(operation) ? null : imageIn(options, operation, image);
  const wrong = written && refusalOf(written.text, written.from, written === image ? "" : SOME_REGISTRY);
  if (wrong) return wrong;
  const reference = written && referenceIn(written, registry, written === image);
  const change = changeIn(options, operation);
  const all = [...refused.map((each) => unknown({ ...each })), ...valuesRefused(options, operation)];
  const found: FoundCommand = {
    kind: "command",
    client: "az",
    operation,
    registry,
    user: textOf(options, "--username"),
    reference,
    source: operation === "import" ? referenceOf(textOf(options, "--source") ?? "") : null,
    subject: operation.endsWith("-show") && CHANGES.test(operation) ? textOf(options, "--name") : null,
    query: textOf(options, "--query"),
    change,
    lock: lockIn(options, operation, reference, registry),
    outcome: all.length > 0 ? "refused" : null,
  };
  return { found, refused: all };
}

/** `-n` names the registry in some groups, and in others what is in it. */
function registryIn(options: Options, operation: Operation): string | null {
  const namesRegistry = operation === "registry-delete" || !(CHANGES.test(operation) || MANIFEST.test(operation));
  return textOf(options, "--registry", ...(namesRegistry ? ["--name"] : []));
}

/** The manifest commands take the name of a repository, or an image with its registry. */
function imageIn(options: Options, operation: Operation, image: Word | undefined): Word | null {
  const isManifest = MANIFEST.test(operation);
  const names = isManifest ? ["--name", "--repository"] : ["--image", "--repository"];
  return wordOf(options, ...names) ?? (isManifest ? (image ?? null) : null);
}

function referenceIn({ text }: Word, registry: string | null, isWhole: boolean): Reference | null {
  return isWhole ? referenceOf(text) : inRegistry(text, registry);
}

/** Names are names in the registry, even those that begin like a host. */
const SOME_REGISTRY = "registry.invalid/";

function inRegistry(image: string, registry: string | null): Reference | null {
  const reference = accepted(() => readReference(SOME_REGISTRY + image)) ?? referenceOf(image);
  return reference && { ...reference, registry };
}

/** What a shell puts in place of it is not known. */
export function isVariable(text: string): boolean {
  return /[$%`<{]/.test(text);
}

function changeIn(options: Options, operation: Operation): Change | null {
  if (!CHANGES.test(operation) || operation.endsWith("-show")) return null;
  const name = operation === "registry-delete" ? null : textOf(options, "--name");
  const token = operation.startsWith("token-") ? name : null;
  const added = actionsIn(options, ["--repository", "--add-repository"], ["--gateway", "--add-gateway"]);
  const removed = actionsIn(options, ["--remove-repository"], ["--remove-gateway"]);
  const made = token !== null && added.length > 0 ? `${token}-scope-map` : null;
  const known = added.filter(({ text }) => !isVariable(text));
  return {
    does: operation.endsWith("-create")
      ? "creates"
      : /^[a-z-]+-delete$/.test(operation) && !isOfPasswords(operation)
        ? "deletes"
        : "changes",
    token,
    status: statusIn(options),
    scopeMap: operation.startsWith("scope-map-") ? name : (textOf(options, "--scope-map") ?? made),
    actions: known.map(({ text }) => text),
    at: known.map(({ at }) => at),
    removed: removed.map(({ text }) => text),
    passwords: passwordsIn(options, operation),
    open: removed.some(({ text }) => isVariable(text)) ? "any" : known.length < added.length ? "more" : null,
  };
}

function isOfPasswords(operation: Operation): boolean {
  return operation.startsWith("token-credential-");
}

function statusIn(options: Options): TokenStatus | null {
  const status = textOf(options, "--status")?.toLowerCase() ?? null;
  return status === null || status === "enabled" || status === "disabled" ? status : "unknown";
}

const REFUSES = "`az` rejects this command, so its effect isn't certain";

/** What `az` does not take as the value of an option. */
function valuesRefused(options: Options, operation: Operation): FoundUnknown[] {
  return [...statusRefused(options), ...mapsRefused(options, operation), ...permissionsRefused(options, operation)];
}

/** Anything else than a status or a variable is refused. */
function statusRefused(options: Options): FoundUnknown[] {
  const word = wordOf(options, "--status");
  if (!word || statusIn(options) !== "unknown" || isVariable(word.text)) return [];
  return [refusalOfValue(`\`${word.text}\` is not a status: \`--status\` takes \`enabled\` or \`disabled\``, word)];
}

/** A token is made with a map or with repositories. */
function mapsRefused(options: Options, operation: Operation): FoundUnknown[] {
  const map = wordOf(options, "--scope-map");
  if (operation !== "token-create" || !map || !(options.has("--repository") || options.has("--gateway"))) return [];
  return [refusalOfValue("create a token with `--scope-map` or with repositories, not with both", map)];
}

const PERMISSIONS = {
  repository: /^(?:content\/(?:read|write|delete)|metadata\/(?:read|write))$/i,
  gateway: /^(?:config|message)\/(?:read|write)$/i,
};

/**
 * Each option names a repository or a gateway, and permissions behind it. One without any does
 * nothing by itself.
 */
function permissionsRefused(options: Options, operation: Operation): FoundUnknown[] {
  if (!CHANGES.test(operation)) return [];
  return (["repository", "gateway"] as const).flatMap((kind) => {
    const given = [`--${kind}`, `--add-${kind}`, `--remove-${kind}`].flatMap((option) => options.get(option) ?? []);
    const changes = given.some((words) => words.length > 1);
    return given.flatMap(([name, ...permissions]): FoundUnknown[] => {
      const wrong = permissions.find(({ text }) => !PERMISSIONS[kind].test(text) && !isVariable(text));
      if (wrong) return [refusalOfValue(`\`${wrong.text}\` is not a permission of a ${kind}`, wrong)];
      const isBare = changes && name && permissions.length === 0 && !isVariable(name.text);
      return isBare ? [refusalOfValue(`no permission after \`${name.text}\``, name)] : [];
    });
  });
}

function refusalOfValue(message: string, { from }: Word): FoundUnknown {
  return unknown({ message, hint: REFUSES, position: from });
}

/**
 * Without a date passwords never end, and days are counted from a moment that the command does not
 * tell.
 */
function passwordsIn(options: Options, operation: Operation): PasswordChange | null {
  const all = ["password1", "password2"];
  const named = all.filter((name) => options.has(`--${name}`));
  const expiry = textOf(options, "--expiration");
  if (operation === "token-credential-delete") return { made: [], expiry: null, deleted: named };
  if (operation === "token-credential-generate") {
    return { made: named.length > 0 ? named : all, expiry, deleted: [] };
  }
  if (operation !== "token-create") return null;
  return { made: flagOf(options, "--no-passwords") === true ? [] : all, expiry, deleted: [] };
}

/** `--write-enabled false` locks; `az` takes both words in any case. */
function lockIn(options: Options, operation: Operation, image: Reference | null, registry: string | null): Lock | null {
  if (operation !== "repository-update" && operation !== "manifest-update") return null;
  const { repository, tag, digest } = image ?? { repository: null, tag: null, digest: null };
  const lock = { registry: image?.registry ?? registry, repository, tag, digest };
  const read = flagOf(options, "--read-enabled");
  const write = flagOf(options, "--write-enabled");
  const deletes = flagOf(options, "--delete-enabled");
  return read === null && write === null && deletes === null ? null : { ...lock, read, write, delete: deletes };
}

function flagOf(options: Options, name: string): Flag {
  const given = options.get(name)?.at(-1);
  if (!given) return null;
  const text = given[0]?.text.toLowerCase() ?? "true";
  return text === "true" || text === "false" ? text === "true" : "unknown";
}

interface Action {
  text: string;
  at: number;
}

function actionsIn(options: Options, repositories: string[], gateways: string[]): Action[] {
  return [
    ...repositories.flatMap((option) => actionsOf("repositories", options.get(option))),
    ...gateways.flatMap((option) => actionsOf("gateway", options.get(option))),
  ];
}

/** `--repository NAME PERMISSION…`, which `az` sends in lower case. */
function actionsOf(kind: string, given: Word[][] = []): Action[] {
  return given.flatMap(([name, ...permissions]) =>
    permissions.map(({ text, from }) => ({
      text: `${kind}/${name?.text}/${text}`.toLowerCase(),
      at: from,
    })),
  );
}

function textOf(options: Options, ...names: string[]): string | null {
  return wordOf(options, ...names)?.text ?? null;
}

function wordOf(options: Options, ...names: string[]): Word | null {
  for (const name of names) {
    const value = options.get(name)?.[0]?.[0];
    if (value) return value;
  }
  return null;
}
