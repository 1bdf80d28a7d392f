/**
 * The commands of the clients as a table: what each asks of a registry, and where it names it.
 *
 * An option that takes a value and is missing here makes its value look like an argument, so the
 * lists are those of the clients' manuals for the commands of the table.
 */

import type { Client, Operation } from "../found";

/** Which arguments name what. */
export type Takes = "nothing" | "registry" | "image" | "last image" | "copy" | "tag" | "chart" | "chart file";

export interface Command {
  operation: Operation;
  takes: Takes;
  /** An option without which nothing is asked of a registry. */
  needs?: string;
  /** Options that take a value for this command and none for others. */
  also?: string[];
}

export interface Syntax {
  takes: ReadonlySet<string>;
  commands: Record<string, Command>;
}

function command(operation: Operation, takes: Takes, more: Partial<Command> = {}): Command {
  return { operation, takes, ...more };
}

function options(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/));
}

const RUN = `--name -p --publish -v --volume -e --env --env-file --network --net -w --workdir --entrypoint -h --hostname --restart
  -m --memory --cpus --gpus --mount -l --label --add-host --platform --pull --log-driver --log-opt --cap-add --cap-drop --device
  --dns --shm-size --security-opt --ulimit --tmpfs --cidfile --ip --link --expose --group-add --ipc --pid --userns --pod`;
const BUILD = `-f --file --build-arg --target --cache-from --cache-to --secret --ssh -o --output --progress --builder --iidfile
  --metadata-file --build-context`;
const CREDENTIALS = "-u --username -p --password --creds --authfile --cert-dir";

const pull = command("pull", "image");
const push = command("push", "image");
const login = command("login", "registry");
const pushWhenBuilt = command("push", "tag", { needs: "--push", also: ["-t", "--tag"] });

const docker: Syntax = {
  takes: options(
    `--config -c --context -H --host --log-level --tlscacert --tlscert --tlskey ${CREDENTIALS} ${RUN} ${BUILD}`,
  ),
  commands: {
    pull,
    "image pull": pull,
    run: pull,
    "container run": pull,
    create: pull,
    push,
    "image push": push,
    build: pushWhenBuilt,
    "buildx build": pushWhenBuilt,
    "manifest inspect": command("manifest-inspect", "image"),
    "buildx imagetools inspect": command("manifest-inspect", "image"),
    "manifest push": push,
    login,
  },
};

const podman: Syntax = {
  takes:
    options(`--storage-driver --storage-opt --root --runroot --connection --url --arch --os --variant --format --digestfile
    --sign-by --compression-format --retry --decryption-key ${CREDENTIALS} ${RUN} ${BUILD}`),
  commands: {
    pull,
    "image pull": pull,
    run: pull,
    "container run": pull,
    create: pull,
    push: command("push", "last image"),
    "image push": command("push", "last image"),
    "manifest inspect": command("manifest-inspect", "image"),
    login,
  },
};

const skopeo: Syntax = {
  takes:
    options(`--policy --override-arch --override-os --override-variant --command-timeout --registries.d --tmpdir --format -f
    --src-creds --dest-creds --src-authfile --dest-authfile --src-cert-dir --dest-cert-dir --src-username --src-password
    --dest-username --dest-password --registry-token --src-registry-token --dest-registry-token --retry-times --additional-tag
    --digestfile --multi-arch --sign-by ${CREDENTIALS}`),
  commands: {
    inspect: command("inspect", "image"),
    copy: command("copy", "copy"),
    "list-tags": command("list-tags", "image"),
    delete: command("delete", "image"),
    login,
  },
};

const oras: Syntax = {
  takes:
    options(`-o --output -a --annotation --annotation-file --artifact-type --config --format --platform --depth --concurrency
    --ca-file --registry-config --distribution-spec --image-spec --export-manifest --resolve --header -H --media-type --from-username
    --from-password --to-username --to-password --last ${CREDENTIALS}`),
  commands: {
    pull,
    "manifest fetch": pull,
    push,
    attach: push,
    "manifest push": push,
    copy: command("copy", "copy"),
    cp: command("copy", "copy"),
    discover: command("discover", "image"),
    "repo tags": command("repo-tags", "image"),
    "manifest delete": command("manifest-delete", "image"),
    login,
  },
};

const install = command("install", "chart");
const show = command("show", "chart");
const update = command("dependency-update", "nothing");

const helm: Syntax = {
  takes:
    options(`--version --repo -n --namespace -f --values --set --set-string --set-file --kube-context --kubeconfig --timeout -d
    --destination --untardir -o --output --registry-config --repository-config --repository-cache --ca-file --cert-file --key-file
    --keyring --post-renderer --history-max ${CREDENTIALS}`),
  commands: {
    pull: command("pull", "chart"),
    fetch: command("pull", "chart"),
    push: command("push", "chart file"),
    install,
    upgrade: install,
    template: install,
    "show all": show,
    "show chart": show,
    "show values": show,
    "show readme": show,
    "show crds": show,
    "dependency update": update,
    "dependency build": update,
    "dep update": update,
    "dep up": update,
    "dep build": update,
    "registry login": login,
  },
};

const crane: Syntax = {
  takes: options(`--platform -t --tag --format -m --mediaType -c --jobs -j ${CREDENTIALS}`),
  commands: {
    pull,
    manifest: pull,
    config: pull,
    export: pull,
    push: command("push", "last image"),
    copy: command("copy", "copy"),
    cp: command("copy", "copy"),
    ls: command("ls", "image"),
    delete: command("delete", "image"),
    catalog: command("catalog", "registry"),
    digest: command("digest", "image"),
    "auth login": login,
  },
};

export const SYNTAX: Record<Exclude<Client, "az">, Syntax> = {
  docker,
  podman,
  skopeo,
  oras,
  helm,
  crane,
};
