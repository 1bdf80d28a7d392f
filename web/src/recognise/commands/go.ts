/**
 * The clients that are written in Go and read their options alike: docker, podman, skopeo, oras,
 * helm and crane.
 */

import type { Client, FoundCommand, FoundUnknown } from "../found";
import { referenceOf, refusalOf } from "../names";
import { unknown } from "../reading";
import { type Arguments, optionOf, readArguments } from "./options";
import { SYNTAX, type Takes } from "./syntax";
import type { Word } from "./words";

/** The most words that the name of a command has. */
const MAX_NAME_WORDS = 3;

/**
 * What the command asks, or what is wrong with the image that it names; `null` when it asks
 * nothing that is known.
 */
export function readGo(client: Exclude<Client, "az">, words: Word[]): FoundCommand | FoundUnknown | null {
  const { takes, commands } = SYNTAX[client];
  const first = readArguments(words, takes);
  const name = nameIn(first.rest, commands);
  const command = name === null ? undefined : commands[name];
  if (name === null || !command) return null;
  const all = command.also ? readArguments(words, new Set([...takes, ...command.also])) : first;
  if (command.needs && !all.options.has(command.needs)) return null;
  const rest = all.rest.slice(name.split(" ").length);
  const written = imageWords(command.takes, { ...all, rest });
  const second = command.takes === "tag" ? otherTag(all) : null;
  if (second) return second;
  const refused = [written.source, written.reference].flatMap((word) => (word ? (refusalOfImage(word) ?? []) : []));
  if (refused[0]) return refused[0];
  const images = imagesOf(command.takes, { ...all, rest }, written);
  const registry = images.reference?.registry ?? images.registry ?? null;
  const base = {
    kind: "command",
    client,
    operation: command.operation,
    subject: null,
    change: null,
    lock: null,
    outcome: null,
  } as const;
  return {
    ...base,
    reference: images.reference,
    source: images.source ?? null,
    registry,
    user: userIn(all),
  };
}

function nameIn(rest: Word[], commands: object): string | null {
  for (let count = MAX_NAME_WORDS; count > 0; count--) {
    const name = rest
      .slice(0, count)
      .map(({ text }) => text)
      .join(" ");
    if (Object.hasOwn(commands, name)) return name;
  }
  return null;
}

type Images = Pick<FoundCommand, "reference"> & Partial<Pick<FoundCommand, "source" | "registry">>;

/** The words of a command that are images. */
interface ImageWords {
  reference?: Word | null | undefined;
  source?: Word | undefined;
}

function imageWords(takes: Takes, all: Arguments): ImageWords {
  const [first, second] = all.rest;
  switch (takes) {
    case "image":
      return { reference: first };
    case "last image":
      return { reference: all.rest.at(-1) };
    case "copy":
      return { source: first, reference: second };
    case "tag":
      return { reference: optionOf(all, "-t", "--tag") };
    case "chart":
      return { reference: all.rest.find(({ text }) => text.startsWith("oci://")) };
    default:
      return {};
  }
}

/** One image is looked at; what is said of it would be wrong of the others. */
function otherTag({ options }: Arguments): FoundUnknown | null {
  const tags = [...(options.get("-t") ?? []), ...(options.get("--tag") ?? [])];
  const [first, ...others] = tags.map((word) => ({ word, reference: referenceOf(word.text) }));
  const other = others.find(
    ({ reference }) =>
      reference?.repository !== first?.reference?.repository || reference?.registry !== first?.reference?.registry,
  );
  if (!other) return null;
  const refused = { message: "more than one image", hint: "keep one" };
  return unknown({ ...refused, position: other.word.from });
}

function imagesOf(takes: Takes, all: Arguments, { reference, source }: ImageWords): Images {
  const [first, second] = all.rest;
  switch (takes) {
    case "nothing":
      return { reference: null };
    case "registry":
      return { reference: null, registry: hostOf(first) };
    case "chart":
      return { reference: chartOf(reference, optionOf(all, "--version")) };
    case "chart file":
      return { reference: packageOf(first, second) };
    default:
      return { source: imageOf(source), reference: imageOf(reference) };
  }
}

/** Images outside of a registry have a scheme of their own. */
const ELSEWHERE =
  /^(?:oci|oci-archive|docker-archive|docker-daemon|dir|containers-storage|ostree|sif|tarball):(?!\/\/)/;

function imageOf(word: Word | null | undefined): FoundCommand["reference"] {
  return word && !ELSEWHERE.test(word.text) ? referenceOf(word.text) : null;
}

function refusalOfImage({ text, from }: Word): FoundUnknown | null {
  return ELSEWHERE.test(text) ? null : refusalOf(text, from);
}

function hostOf(word: Word | undefined): string | null {
  return word?.text.replace(/^https?:\/\//, "").split("/")[0] || null;
}

/** A chart's version is its tag, in which a plus is no character. */
function chartOf(chart: Word | null | undefined, version: Word | null): FoundCommand["reference"] {
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
