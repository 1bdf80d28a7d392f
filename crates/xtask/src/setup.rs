//! Installing what is missing, and saying plainly what cannot be installed.
//!
//! Everything comes from rustup, the package manager of Debian, and the ordinary clients of the languages. On another system the missing
//! program is named, and nothing is guessed.

use anyhow::{Context as _, bail};
use xshell::{Shell, cmd};

/// The target that hosts load.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// What builds the WebAssembly module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// The pinned toolchain, with the target that rustup fetched.
    Rustup,
    /// Debian's `rustc-web`, which builds the target's library from its sources.
    Debian,
}

/// The targets of `rust-toolchain.toml`.
const TARGETS: [&str; 2] = [TARGET, "wasm32v1-none"];

/// What builds those targets where rustup cannot fetch them.
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "rust-web-src", "rust-web-llvm", "lld-22"];

/// Makes sure that something can build the WebAssembly module.
pub(crate) fn wasm_target(shell: &Shell) -> anyhow::Result<Toolchain> {
    if TARGETS.iter().all(|target| has_target(shell, target)) {
        return Ok(Toolchain::Rustup);
    }
    if has_debian_packages(shell) {
        return Ok(Toolchain::Debian);
    }
    let [engine, bare] = TARGETS;
    if has(shell, "rustup") {
        println!("setup: fetching the WebAssembly targets with rustup");
        // A rustup that cannot reach its server may take minutes to say so.
        let fetched = cmd!(shell, "timeout 120 rustup target add {engine} {bare}").quiet().run();
        if fetched.is_ok() && has_target(shell, engine) {
            return Ok(Toolchain::Rustup);
        }
    }
    println!("setup: rustup cannot fetch {engine}; falling back to Debian's rustc-web");
    apt(shell, &DEBIAN_PACKAGES)
        .with_context(|| format!("install the target {engine} for your Rust toolchain"))?;
    Ok(Toolchain::Debian)
}

fn has_debian_packages(shell: &Shell) -> bool {
    cmd!(shell, "dpkg --status")
        .args(DEBIAN_PACKAGES)
        .quiet()
        .ignore_stdout()
        .ignore_stderr()
        .run()
        .is_ok()
}

fn has_target(shell: &Shell, target: &str) -> bool {
    let sysroot = cmd!(shell, "rustc --print sysroot").quiet().read();
    sysroot.is_ok_and(|sysroot| shell.path_exists(format!("{sysroot}/lib/rustlib/{target}/lib")))
}

/// Programs of the tests, each with the Debian package that has it.
const PROGRAMS: [(&str, &str); 4] = [
    ("docker-registry", "docker-registry"),
    ("skopeo", "skopeo"),
    ("umoci", "umoci"),
    ("node", "nodejs"),
];

/// Installs what the tests need.
pub(crate) fn for_tests(shell: &Shell) -> anyhow::Result<()> {
    wasm_target(shell)?;
    programs(shell)
}

/// Installs the programs that are missing.
pub(crate) fn programs(shell: &Shell) -> anyhow::Result<()> {
    let missing: Vec<_> = PROGRAMS.iter().filter(|(program, _)| !has(shell, program)).collect();
    let packages: Vec<&str> = missing.iter().map(|(_, package)| *package).collect();
    if packages.is_empty() {
        return Ok(());
    }
    apt(shell, &packages)
}

/// Whether a program is on the path.
pub(crate) fn has(shell: &Shell, program: &str) -> bool {
    cmd!(shell, "which {program}").quiet().ignore_stdout().ignore_stderr().run().is_ok()
}

/// Installs Debian packages, as root or through a sudo that asks for no password.
fn apt(shell: &Shell, packages: &[&str]) -> anyhow::Result<()> {
    let list = packages.join(" ");
    if !has(shell, "apt-get") {
        bail!("missing: {list} (this system has no apt-get; install what provides them)");
    }
    println!("setup: installing {list}");
    let is_root = cmd!(shell, "id -u").quiet().read()? == "0";
    let sudo: &[&str] = if is_root { &[] } else { &["sudo", "-n"] };
    let env = ["env", "DEBIAN_FRONTEND=noninteractive"];
    let update = [sudo, &env, &["apt-get", "update", "-qq"]].concat();
    let install =
        [sudo, &env, &["apt-get", "install", "-qq", "-y", "--no-install-recommends"], packages]
            .concat();
    for command in [update, install] {
        let (program, arguments) = command.split_first().context("no command")?;
        cmd!(shell, "{program} {arguments...}").ignore_stdout().run().with_context(|| {
            format!("missing: {list}; install them with `apt-get install {list}`")
        })?;
    }
    Ok(())
}
