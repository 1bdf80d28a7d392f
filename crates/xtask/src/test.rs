//! All the tests, on what they need; and the measurements.

use xshell::{Shell, cmd};

use crate::{engine, envoy, fuzz, guard, setup, web, worker};

/// How long each fuzz target runs with the tests, in seconds.
const FUZZ_SECONDS: u64 = 10;

pub(crate) fn test(shell: &Shell) -> anyhow::Result<()> {
    setup::for_tests(shell)?;
    engine::build(shell)?;
    engine::prove_no_std(shell)?;
    web::test(shell)?;
    worker::test(shell)?;
    envoy::build(shell)?;
    cmd!(shell, "cargo test --locked --workspace").run()?;
    guard::guard(shell, false)?;
    fuzz::fuzz(shell, "all", FUZZ_SECONDS)
}

pub(crate) fn bench(shell: &Shell, filter: &[&str]) -> anyhow::Result<()> {
    engine::build(shell)?;
    web::build(shell)?;
    envoy::build(shell)?;
    // Token server and gateway are measured as processes of their own.
    let programs = ["--package", "scopegate-server", "--package", "scopegate-gateway"];
    cmd!(shell, "cargo build --locked --release").args(programs).run()?;
    cmd!(shell, "cargo bench --locked --package scopegate-benches -- {filter...}").run()?;
    Ok(())
}
