/**
 * `az acr`: repositories, tokens, scope maps, logins and imports.
 */

import { type Reference, readReference } from "../../engine";
import { accepted } from "../attempt";
import type { Change, FoundCommand, FoundUnknown, Operation } from "../found";
import { referenceOf, refusalOf } from "../names";
import { readAzArguments } from "./options";
import type { Word } from "./words";

const OPERATIONS: Record<string, Operation> = {
  login: "login",
  import: "import",
  "repository list": "repository-list",
  "repository show": "repository-show",
  "repository show-tags": "repository-show-tags",
  "repository show-manifests": "manifest-list",
  "repository delete": "repository-delete",
  "repository untag": "repository-untag",
  "repository update": "repository-update",
  "manifest list": "manifest-list",
  "manifest list-metadata": "manifest-list",
  "token create": "token-create",
  "token update": "token-update",
  "scope-map create": "scope-map-create",
  "scope-map update": "scope-map-update",
};

/** These are about tokens and scope maps, and about no image. */
const CHANGES = /^(?:token|scope-map)-/;

type Options = Map<string, Word[][]>;

/** What the command asks, or what is wrong with the image that it names; `null` when it asks nothing that is known. */
export function readAz(words: Word[]): FoundCommand | FoundUnknown | null {
  const { options, rest } = readAzArguments(words);
  const [group, ...names] = rest.map(({ text }) => text);
  const name = [names.slice(0, 2).join(" "), names[0] ?? ""].find((text) => Object.hasOwn(OPERATIONS, text));
  const operation = name === undefined ? undefined : OPERATIONS[name];
  if (group !== "acr" || name === undefined || !operation) return null;
  const registry = registryIn(options, operation);
  const [image] = rest.slice(name.split(" ").length + 1);
  const written = CHANGES.test(operation) ? null : imageIn(options, operation, image);
  const refused = written && refusalOf(written.text, written.from, written === image ? "" : SOME_REGISTRY);
  if (refused) return refused;
  const base = {
    kind: "command",
    client: "az",
    operation,
    registry,
    user: textOf(options, "--username", "-u"),
  } as const;
  return {
    ...base,
    reference: written && referenceIn(written, registry, written === image),
    source: operation === "import" ? referenceOf(textOf(options, "--source") ?? "") : null,
    change: changeIn(options, operation),
  };
}

/** `-n` names the registry in some groups, and in others what is in it. */
function registryIn(options: Options, operation: Operation): string | null {
  const namesRegistry = operation !== "manifest-list" && !CHANGES.test(operation);
  return textOf(options, "--registry", "-r", ...(namesRegistry ? ["--name", "-n"] : []));
}

/** The manifest commands take the name of a repository, or an image with its registry. */
function imageIn(options: Options, operation: Operation, image: Word | undefined): Word | null {
  const isManifest = operation === "manifest-list";
  const names = isManifest ? ["--name", "-n", "--repository"] : ["--image", "-t", "--repository"];
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

function changeIn(options: Options, operation: Operation): Change | null {
  if (!CHANGES.test(operation)) return null;
  const name = textOf(options, "--name", "-n");
  const token = operation.startsWith("token-") ? name : null;
  const added = actionsIn(options, ["--repository", "--add-repository"], ["--gateway", "--add-gateway"]);
  const removed = actionsIn(options, ["--remove-repository"], ["--remove-gateway"]);
  const status = textOf(options, "--status")?.toLowerCase();
  const made = token !== null && added.length > 0 ? `${token}-scope-map` : null;
  return {
    token,
    status: status === "enabled" || status === "disabled" ? status : null,
    scopeMap: token !== null ? (textOf(options, "--scope-map") ?? made) : name,
    actions: added.map(({ text }) => text),
    at: added.map(({ at }) => at),
    removed: removed.map(({ text }) => text),
  };
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
