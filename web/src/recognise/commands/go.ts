/**
 * The clients that are written in Go and read their options alike: docker, podman, skopeo, oras, helm and crane.
 */

import type { Client, FoundCommand } from "../found";
import { referenceOf } from "../names";
import { type Arguments, optionOf, readArguments } from "./options";
import { SYNTAX, type Takes } from "./syntax";
import type { Word } from "./words";

/** Commands have names of at most so many words. */
const LONGEST_NAME = 3;

/** What the command asks; `null` when it asks nothing that is known. */
export function readGo(client: Exclude<Client, "az">, words: Word[]): FoundCommand | null {
  const { takes, commands } = SYNTAX[client];
  const first = readArguments(words, takes);
  const name = nameIn(first.rest, commands);
  const command = name === null ? undefined : commands[name];
  if (name === null || !command) return null;
  const all = command.also ? readArguments(words, new Set([...takes, ...command.also])) : first;
  if (command.needs && !all.options.has(command.needs)) return null;
  const rest = all.rest.slice(name.split(" ").length);
  const images = imagesOf(command.takes, { ...all, rest });
  const registry = images.reference?.registry ?? images.registry ?? null;
  const base = { kind: "command", client, operation: command.operation, change: null } as const;
  return {
    ...base,
    reference: images.reference,
    source: images.source ?? null,
    registry,
    user: userIn(all),
  };
}

function nameIn(rest: Word[], commands: object): string | null {
  for (let count = LONGEST_NAME; count > 0; count--) {
    const name = rest
      .slice(0, count)
      .map(({ text }) => text)
      .join(" ");
    if (Object.hasOwn(commands, name)) return name;
  }
  return null;
}

type Images = Pick<FoundCommand, "reference"> & Partial<Pick<FoundCommand, "source" | "registry">>;

function imagesOf(takes: Takes, all: Arguments): Images {
  const [first, second] = all.rest;
  const last = all.rest.at(-1);
  switch (takes) {
    case "nothing":
      return { reference: null };
    case "registry":
      return { reference: null, registry: hostOf(first) };
    case "image":
      return { reference: imageOf(first) };
    case "last image":
      return { reference: imageOf(last) };
    case "copy":
      return { source: imageOf(first), reference: imageOf(second) };
    case "tag":
      return { reference: imageOf(optionOf(all, "-t", "--tag")) };
    case "chart":
      return { reference: chartOf(all.rest, optionOf(all, "--version")) };
    case "chart file":
      return { reference: packageOf(first, second) };
  }
}

/** Images in other places than a registry have a scheme of their own: `oci:`, `docker-archive:`, `dir:`. */
function imageOf(word: Word | null | undefined): FoundCommand["reference"] {
  if (
    !word ||
    /^(?:oci|oci-archive|docker-archive|docker-daemon|dir|containers-storage|ostree|sif|tarball):(?!\/\/)/.test(
      word.text,
    )
  ) {
    return null;
  }
  return referenceOf(word.text);
}

function hostOf(word: Word | undefined): string | null {
  return word?.text.replace(/^https?:\/\//, "").split("/")[0] || null;
}

/** A chart's version is its tag, in which a plus is no character. */
function chartOf(rest: Word[], version: Word | null): FoundCommand["reference"] {
  const chart = rest.find(({ text }) => text.startsWith("oci://"));
  const reference = chart ? referenceOf(chart.text) : null;
  if (!reference || reference.tag !== null || !version || /[\s$^~<>=*|]/.test(version.text)) return reference;
  return { ...reference, tag: version.text.replaceAll("+", "_") };
}

/** helm pushes `name-1.2.3.tgz` to the repository `name` below the address that it is given. */
function packageOf(file: Word | undefined, address: Word | undefined): FoundCommand["reference"] {
  const [, name, version] = /([^\\/]+?)-(v?\d+\.\d+\.\d+[^\\/]{0,200})\.tgz$/.exec(file?.text.slice(-400) ?? "") ?? [];
  if (!address?.text.startsWith("oci://")) return null;
  if (!name || !version) return referenceOf(address.text);
  return referenceOf(`${address.text.replace(/\/+$/, "")}/${name}:${version.replaceAll("+", "_")}`);
}

/** `--creds` holds the password too. */
function userIn(all: Arguments): string | null {
  const user = optionOf(all, "-u", "--username", "--dest-username", "--creds", "--dest-creds", "--src-creds");
  return user?.text.split(":")[0] || null;
}
