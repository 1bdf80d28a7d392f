//! Fuzzing, with cargo-fuzz on a nightly toolchain.

use anyhow::{Context as _, ensure};
use xshell::{Shell, cmd};

/// Every target of `fuzz/`.
const TARGETS: [&str; 8] =
    ["scope", "pattern", "table", "path", "request", "challenge", "map", "claims"];

/// Fuzzes one target, or all of them one after the other.
pub(crate) fn fuzz(shell: &Shell, target: &str, seconds: u64) -> anyhow::Result<()> {
    ensure!(target == "all" || TARGETS.contains(&target), "no such target: {target}");
    prepare(shell)?;
    cmd!(shell, "cargo run --quiet --locked --package scopegate-tests --bin fuzz-seeds").run()?;
    for name in TARGETS.into_iter().filter(|name| target == "all" || *name == target) {
        let limit = format!("-max_total_time={seconds}");
        cmd!(shell, "cargo +nightly fuzz run {name} -- {limit} -verbosity=0 -print_final_stats=1")
            .run()
            .with_context(|| format!("fuzzing {name}"))?;
    }
    Ok(())
}

/// Installs the nightly toolchain and cargo-fuzz where they are missing.
fn prepare(shell: &Shell) -> anyhow::Result<()> {
    if cmd!(shell, "cargo +nightly --version")
        .quiet()
        .ignore_stdout()
        .ignore_stderr()
        .run()
        .is_err()
    {
        println!("setup: fetching a nightly toolchain, which fuzzing needs");
        cmd!(shell, "rustup toolchain install nightly --profile minimal").run()?;
    }
    if cmd!(shell, "cargo fuzz --version").quiet().ignore_stdout().ignore_stderr().run().is_err() {
        println!("setup: installing cargo-fuzz");
        cmd!(shell, "cargo install cargo-fuzz --locked --version 0.13.2").run()?;
    }
    Ok(())
}
