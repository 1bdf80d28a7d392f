//! Checks dependencies with cargo-deny and `deny.toml`: licences, bans and sources always,
//! advisories when their database can be fetched.
//!
//! Left out: the packages of npm, PyPI and Go, which only the tests and the page's build use.

use anyhow::Context as _;
use xshell::{Shell, cmd};

/// The version of cargo-deny. Another one may read `deny.toml` differently.
const VERSION: &str = "0.20.2";

/// The workspaces with a lock file.
const MANIFESTS: [&str; 3] = ["Cargo.toml", "fuzz/Cargo.toml", "benches/peers/Cargo.toml"];

/// The timeout of fetching the advisories, in seconds.
const FETCH_SECONDS: &str = "120";

/// Checks every workspace.
pub(crate) fn deny(shell: &Shell) -> anyhow::Result<()> {
    install(shell)?;
    for manifest in MANIFESTS {
        check(shell, manifest, &["bans", "licenses", "sources"])?;
    }
    if !can_fetch_advisories(shell) {
        println!("deny: licences, bans and sources checked; advisories NOT: no database here");
        return Ok(());
    }
    for manifest in MANIFESTS {
        check(shell, manifest, &["advisories"])?;
    }
    println!("deny: licences, bans, sources and advisories checked");
    Ok(())
}

/// Installs this version of cargo-deny, if missing. It takes minutes, once.
pub(crate) fn install(shell: &Shell) -> anyhow::Result<()> {
    let installed = cmd!(shell, "cargo deny --version").quiet().ignore_stderr().read();
    if installed.is_ok_and(|text| text.trim() == format!("cargo-deny {VERSION}")) {
        return Ok(());
    }
    println!("setup: installing cargo-deny {VERSION}, which takes minutes");
    cmd!(shell, "cargo install --quiet --locked cargo-deny --version {VERSION}")
        .run()
        .context("cargo-deny cannot be installed")
}

fn check(shell: &Shell, manifest: &str, what: &[&str]) -> anyhow::Result<()> {
    cmd!(
        shell,
        "cargo deny --locked --config deny.toml --manifest-path {manifest} check --hide-inclusion-graph {what...}"
    )
    .run()
    .with_context(|| format!("{manifest}: a crate is not what deny.toml allows"))
}

/// Whether the current database of advisories is available: a check with an old one would be
/// misleading.
fn can_fetch_advisories(shell: &Shell) -> bool {
    cmd!(shell, "timeout {FETCH_SECONDS} cargo deny fetch db")
        .quiet()
        .ignore_stdout()
        .ignore_stderr()
        .run()
        .is_ok()
}
