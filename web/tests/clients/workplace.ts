/** For tests: a folder with an image, a chart and credentials, in which real clients are called. */

import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * How long a client may take, in milliseconds: far longer than any of them needs, for slow
 * machines.
 */
const TIMEOUT = 60_000;

export interface Ended {
  readonly succeeded: boolean;
  /** All that it said, with the escapes of log lines undone. */
  readonly said: string;
}

/** Where the project's set-up builds the clients that are written in Go. */
const BUILT = fileURLToPath(new URL("../../../target/clients/go", import.meta.url));
/** And where it installs `az`. */
const VENV = fileURLToPath(new URL("../../../target/clients/venv/bin", import.meta.url));
const PATH = `${BUILT}:${process.env.PATH ?? ""}:${VENV}`;

export function isInstalled(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`], { env: { PATH } }).status === 0;
}

/** Words in commands are replaced by what is in the folder; the client knows no other home. */
export class Workplace {
  readonly #folder: string;
  readonly #certificate: string;
  readonly #words: readonly (readonly [string, string])[];

  /** Clients that know no other way trust the certificate. */
  constructor(folder: string, host: string, certificate = "") {
    this.#folder = folder;
    this.#certificate = certificate;
    for (const name of ["home", "out", "chart/templates", "parent/templates"]) {
      mkdirSync(join(folder, name), { recursive: true });
    }
    this.#write("hello.txt", "hello\n");
    const auth = Buffer.from("a:b").toString("base64");
    this.#write("home/config.json", JSON.stringify({ auths: { [host]: { auth } } }));
    this.#write("chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 0.1.0\n");
    const dependency = `{name: chart, version: ^0.1.0, repository: "oci://${host}/team"}`;
    this.#write("parent/Chart.yaml", `apiVersion: v2\nname: parent\nversion: 0.1.0\ndependencies: [${dependency}]\n`);
    this.#words = [
      ["HOST", host],
      // Of a host such as localhost:5000, `az` makes a name of at least five letters and the suffix
      // of its cloud.
      ["NAME", host.slice(0, 5)],
      ["SUFFIX", host.slice(5)],
      ["IMAGE", join(folder, "image")],
      ["ARCHIVE", join(folder, "image.tar")],
      ["OUT", join(folder, "out")],
    ];
  }

  /** Makes an image; gives its place. */
  async makeImage(): Promise<string> {
    await this.must("umoci init --layout IMAGE");
    await this.must("umoci new --image IMAGE:v1");
    await this.must("umoci insert --rootless --image IMAGE:v1 hello.txt /hello");
    await this.must("skopeo copy oci:IMAGE:v1 docker-archive:ARCHIVE:example.org/image:v1");
    return join(this.#folder, "image");
  }

  async must(command: string): Promise<void> {
    const { succeeded, said } = await this.run(command);
    if (!succeeded) throw new Error(`${command}: ${said}`);
  }

  run(command: string): Promise<Ended> {
    const [program = "", ...given] = command.split(" ").map((word) => this.#replaced(word));
    const own = program === "podman" ? this.#storage() : [];
    const child = spawn(program, [...own, ...given], {
      cwd: this.#folder,
      env: this.#environment(),
      timeout: TIMEOUT,
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (said += data));
    return new Promise((ended, failed) => {
      child.on("error", failed);
      child.on("close", (code) => ended({ succeeded: code === 0, said: unescaped(said) }));
    });
  }

  #replaced(word: string): string {
    const filled = this.#words.reduce((text, [from, to]) => text.replace(from, to), word);
    return filled.includes("DIGEST") ? filled.replace("DIGEST", this.#digest()) : filled;
  }

  #digest(): string {
    const index = readFileSync(join(this.#folder, "image/index.json"), "utf8");
    return /sha256:[0-9a-f]{64}/.exec(index)?.[0] ?? "";
  }

  /** A storage that needs no feature of the kernel. */
  #storage(): string[] {
    return ["--storage-driver=vfs", "--root", join(this.#folder, "storage"), "--runroot", join(this.#folder, "run")];
  }

  #environment(): NodeJS.ProcessEnv {
    const home = join(this.#folder, "home");
    const config = join(home, "config.json");
    return {
      PATH,
      HOME: home,
      XDG_RUNTIME_DIR: home,
      DOCKER_HOST: "unix:///nonexistent",
      DOCKER_CONFIG: home,
      REGISTRY_AUTH_FILE: config,
      HELM_REGISTRY_CONFIG: config,
      AZURE_CONFIG_DIR: join(home, "azure"),
      AZURE_CORE_COLLECT_TELEMETRY: "0",
      AZURE_CORE_NO_COLOR: "1",
      REQUESTS_CA_BUNDLE: this.#certificate,
      NO_PROXY: "localhost",
    };
  }

  #write(name: string, text: string): void {
    writeFileSync(join(this.#folder, name), text);
  }
}

/** Programs that write a log escape what is in its quotes. */
function unescaped(said: string): string {
  return said.replaceAll("\\n", "\n").replaceAll('\\"', '"').replaceAll("\\\\", "\\");
}
