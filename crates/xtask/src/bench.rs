//! Runs measurements: the report with the peers, or single benches by a part of their names.
//!
//! The samples and the report go into `benches/results`; those of a quick run go into
//! `target/bench`, and its goals are printed. Peers are compiled in a workspace of their own, into
//! the same target folder.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use xshell::{Shell, cmd};

use crate::stamp::Stamp;
use crate::{bindgen, engine, envoy, node, paths, setup, web, worker};

/// The version of OPA that compiles Rego to WebAssembly.
const OPA: &str = "github.com/open-policy-agent/opa@v1.10.0";
/// The peers whose versions are in the report.
const PEERS: [&str; 8] = [
    "wasmtime",
    "cedar-policy",
    "regorus",
    "casbin",
    "biscuit-auth",
    "matchit",
    "globset",
    "regex",
];

/// The effort, as arguments of the programs: an option, milliseconds a batch, rounds.
struct Effort(&'static [&'static str], &'static str, &'static str);

const FULL: Effort = Effort(&[], "10", "61");
const QUICK: Effort = Effort(&["--quick"], "2", "31");

pub(crate) fn bench(shell: &Shell, arguments: &[&str]) -> anyhow::Result<()> {
    match arguments {
        [] => {
            let folder = paths::root().join("benches/results");
            publish(shell, &measure(shell, &FULL)?, &folder)
        }
        ["--quick"] => publish(shell, &measure(shell, &QUICK)?, &target().join("quick")),
        ["servers", filter @ ..] => servers(shell, filter),
        ["verify"] => verify(shell),
        ["worst"] => worst(shell),
        ["data-plane"] => data_plane(shell),
        filter => single(shell, filter),
    }
}

fn target() -> PathBuf {
    paths::root().join("target/bench")
}

/// Writes the samples and the report, and prints the goals.
fn publish(shell: &Shell, samples: &str, folder: &Path) -> anyhow::Result<()> {
    shell.write_file(folder.join("samples.csv"), samples)?;
    write(shell, folder)
}

/// Writes the report of the samples in a folder, and prints the goals.
fn write(shell: &Shell, folder: &Path) -> anyhow::Result<()> {
    let report = report(shell)?;
    cmd!(shell, "{report} write {folder}").quiet().run()?;
    cmd!(shell, "{report} print {folder}").quiet().run()?;
    println!("bench: {}", folder.join("README.md").display());
    Ok(())
}

/// Measures servers, and publishes the result beside that of single processes. With a filter only
/// groups whose names match are measured again.
fn servers(shell: &Shell, filter: &[&str]) -> anyhow::Result<()> {
    let (kept, folder) = (target().join("servers"), paths::root().join("benches/results"));
    if filter.is_empty() {
        shell.remove_path(&kept)?;
    }
    programs(shell)?;
    let benches = ["--bench", "token_server", "--bench", "edge"];
    cmd!(shell, "cargo bench --locked --package scopegate-benches {benches...} -- {filter...}")
        .run()?;
    let mut samples = about_servers(shell)?;
    for group in shell.read_dir(&kept)? {
        samples += &shell.read_file(group)?;
    }
    shell.write_file(folder.join("servers.csv"), samples)?;
    write(shell, &folder)
}

/// Measures again and compares with the published samples.
fn verify(shell: &Shell) -> anyhow::Result<()> {
    let again = target().join("again.csv");
    shell.write_file(&again, measure(shell, &QUICK)?)?;
    let (report, published) = (report(shell)?, paths::root().join("benches/results/samples.csv"));
    cmd!(shell, "{report} verify {published} {again}")
        .quiet()
        .run()
        .context("the ratios differ")?;
    println!("bench: the ratios are those that are published, within a third");
    Ok(())
}

/// Searches for a decision that is slower than the stored one, for a minute.
fn worst(shell: &Shell) -> anyhow::Result<()> {
    let build = ["build", "--quiet", "--locked", "--release", "--package", "scopegate-benches"];
    cmd!(shell, "cargo {build...} --bin worst").quiet().run()?;
    let (program, file) =
        (paths::root().join("target/release/worst"), paths::root().join("benches/worst.txt"));
    cmd!(shell, "taskset -c 0 {program} 60 {file}").quiet().run()?;
    Ok(())
}

/// Runs the client tests of the data plane in their long form, with a gateway that is built for a
/// release, and publishes their figures. Takes half an hour.
fn data_plane(shell: &Shell) -> anyhow::Result<()> {
    const FILTERS: [&str; 5] = ["kills", "left", "outage", "crawling", "figures"];
    cmd!(shell, "cargo build --locked --package scopegate-server").run()?;
    cmd!(shell, "cargo build --locked --release --package scopegate-gateway").run()?;
    let (table, gateway) =
        (target().join("data-plane.md"), paths::root().join("target/release/scopegate-gateway"));
    shell.create_dir(target())?;
    shell.remove_path(&table)?;
    let settings = [
        shell.push_env("CLIENTS_LONG", "1"),
        shell.push_env("CLIENTS_GATEWAY", gateway),
        shell.push_env("CLIENTS_FIGURES", &table),
    ];
    let filters = FILTERS.map(|name| format!("data_plane::{name}"));
    let tests = ["test", "--locked", "--package", "scopegate-tests", "--test", "clients"];
    cmd!(shell, "cargo {tests...} -- --nocapture --test-threads=1 {filters...}").run()?;
    drop(settings);
    let (machine, rows) = (machine(shell), shell.read_file(table)?);
    let head = format!(
        "# The data plane\n\nWritten by `cargo xtask bench data-plane`: {machine}.\n\n| what | measured |\n|---|---|\n"
    );
    shell.write_file(paths::root().join("benches/results/data-plane.md"), head + &rows)?;
    Ok(())
}

fn report(shell: &Shell) -> anyhow::Result<PathBuf> {
    let build = ["build", "--quiet", "--locked", "--release", "--package", "scopegate-benches"];
    cmd!(shell, "cargo {build...} --bin report").quiet().run()?;
    Ok(paths::root().join("target/release/report"))
}

/// The table of samples: ours and the peers natively, then those in Node.
fn measure(shell: &Shell, effort: &Effort) -> anyhow::Result<String> {
    let Effort(option, batch, rounds) = *effort;
    let (module, package) = (engine::build(shell)?, bindgen::build(shell)?);
    envoy::build(shell)?;
    let (program, node) = (peers(shell)?, node::program(shell)?);
    let folder = paths::root().join("benches/node");
    node::install(shell, &folder, "the peers for node")?;
    let opa = opa(shell)?;
    println!("bench: measuring, which takes minutes");
    // Everything runs on one core, so that no process migrates.
    let native = cmd!(shell, "taskset -c 0 {program} {option...}").quiet().read()?;
    let questions = target().join("questions.json");
    shell.create_dir(target())?;
    cmd!(shell, "{program} --questions {questions}").quiet().run()?;
    let script = folder.join("measure.mjs");
    // Node 20 crashes when it deoptimises such an inlining: a bug of V8, fixed in newer versions.
    let inlining = "--no-turbo-inline-js-wasm-calls";
    let in_node = cmd!(
        shell,
        "taskset -c 0 {node} {inlining} {script} {questions} {module} {package} {batch} {rounds} {opa...}"
    )
    .quiet()
    .read()?;
    Ok(format!("{}{native}\n{in_node}\n", about(shell, &node)?))
}

fn peers(shell: &Shell) -> anyhow::Result<PathBuf> {
    println!("bench: compiling the peers, which takes minutes the first time");
    let target_dir = paths::root().join("target/peers");
    let manifest = paths::root().join("benches/peers/Cargo.toml");
    cmd!(shell, "cargo build --quiet --locked --release --manifest-path {manifest} --target-dir {target_dir}")
        .quiet()
        .run()?;
    Ok(target_dir.join("release/scopegate-peers"))
}

/// Builds OPA, when Go is installed.
fn opa(shell: &Shell) -> anyhow::Result<Option<PathBuf>> {
    if !setup::has(shell, "go") {
        return Ok(None);
    }
    let folder = target().join("bin");
    let stamp = Stamp::new(
        shell,
        folder.join("opa.stamp"),
        &[paths::root().join("crates/xtask/src/bench.rs")],
    )?;
    if !stamp.is_current(shell) {
        println!("bench: building OPA, which takes minutes");
        let _place = shell.push_env("GOBIN", &folder);
        cmd!(shell, "go install {OPA}").quiet().run()?;
        stamp.write(shell)?;
    }
    Ok(Some(folder.join("opa")))
}

/// The machine, and the versions.
fn about(shell: &Shell, node: &Path) -> anyhow::Result<String> {
    let lock = shell.read_file(paths::root().join("benches/peers/Cargo.lock"))?;
    let versions: Vec<String> = PEERS.iter().filter_map(|name| version(&lock, name)).collect();
    ensure!(versions.len() == PEERS.len(), "a peer is not in the lock file");
    let rustc = cmd!(shell, "rustc --version").quiet().read()?;
    let node = cmd!(shell, "{node} --version").quiet().read()?;
    let list = shell.read_file(paths::root().join("benches/node/package.json"))?;
    let in_node: serde_json::Value = serde_json::from_str(&list)?;
    let in_node = in_node.get("dependencies").map(ToString::to_string).unwrap_or_default();
    let in_node = in_node.replace(['{', '}', '"'], "").replace(':', " ").replace(',', ", ");
    let lines = [
        format!("{}; everything on one of them", machine(shell)),
        format!("{rustc}; Node {node}; {in_node}; {}", OPA.replace('@', " ")),
        versions.join(", "),
        "maps and names are the same in every run; what takes its turn in one table was measured in turns".to_owned(),
    ];
    Ok(lines.iter().map(|line| format!("# about {line}\n")).collect())
}

/// The machine, the versions of the servers, and the missing ones.
fn about_servers(shell: &Shell) -> anyhow::Result<String> {
    let list = shell.read_file(paths::root().join("hosts/worker/package.json"))?;
    let list: serde_json::Value = serde_json::from_str(&list)?;
    let workerd = list.pointer("/devDependencies/@cloudflare~1workerd-linux-64");
    let workerd = workerd.context("no workerd in hosts/worker/package.json")?;
    let envoy = paths::root().join("target/clients/venv/bin/envoy");
    let envoy = cmd!(shell, "{envoy} --version").quiet().read()?;
    let envoy =
        envoy.split('/').find(|part| part.starts_with(|first: char| first.is_ascii_digit()));
    // nginx prints its version to standard error.
    let nginx = cmd!(shell, "/usr/sbin/nginx -v").quiet().read_stderr()?;
    let distribution = cmd!(shell, "docker-registry --version").quiet().read();
    let postgres = cmd!(shell, "psql --version").quiet().read()?;
    let last = |text: &str| text.rsplit([' ', '/']).next().unwrap_or_default().to_owned();
    let lines = [
        format!("about servers: {}; each on one of them", machine(shell)),
        format!(
            "about Envoy {}, nginx {}, CNCF distribution {}, workerd {}, PostgreSQL {}",
            envoy.unwrap_or("of an unknown version"),
            last(&nginx),
            distribution.as_deref().map_or("missing".to_owned(), last),
            workerd.as_str().unwrap_or("of an unknown version"),
            postgres.split(' ').nth(2).unwrap_or("of an unknown version"),
        ),
        docker_auth(shell),
    ];
    Ok(lines.iter().map(|line| format!("# {line}\n")).collect())
}

/// Why `docker_auth` is not measured beside the token server.
fn docker_auth(shell: &Shell) -> String {
    if !setup::has(shell, "go") {
        return "docker_auth: missing, because there is no Go to build it with".to_owned();
    }
    // Outside of any module, so that the project's `go.mod` does not apply.
    let folder = shell.push_dir(std::env::temp_dir());
    let listed = cmd!(shell, "go list -m github.com/cesanta/docker_auth/auth_server@latest");
    let is_there = listed.quiet().ignore_stdout().ignore_stderr().run().is_ok();
    drop(folder);
    let why =
        if is_there { "it is not measured yet" } else { "the Go proxy does not have its module" };
    format!("docker_auth: missing, because {why}")
}

fn machine(shell: &Shell) -> String {
    let processor = shell.read_file("/proc/cpuinfo").unwrap_or_default();
    let model = processor.lines().find_map(|line| line.strip_prefix("model name"));
    let model =
        model.map_or("an unknown processor", |line| line.trim_start_matches([' ', '\t', ':']));
    let cores = processor.matches("processor\t").count();
    format!("{model}; {cores} cores, shared with others")
}

fn version(lock: &str, name: &str) -> Option<String> {
    let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    Some(format!("{name} {}", rest.split('"').next()?))
}

/// The benches of criterion, of the token server and of the edge whose names match a filter.
fn single(shell: &Shell, filter: &[&str]) -> anyhow::Result<()> {
    programs(shell)?;
    cmd!(shell, "cargo bench --locked --package scopegate-benches -- {filter...}").run()?;
    Ok(())
}

/// Builds the token server and the gateway, which are measured as separate processes with all
/// features.
fn programs(shell: &Shell) -> anyhow::Result<()> {
    engine::build(shell)?;
    web::build(shell)?;
    envoy::build(shell)?;
    worker::build(shell)?;
    let programs = ["--package", "scopegate-server", "--package", "scopegate-gateway"];
    cmd!(shell, "cargo build --locked --release").args(programs).run()?;
    Ok(())
}
