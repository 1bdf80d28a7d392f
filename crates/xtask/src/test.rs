//! Runs all the tests, after installing their programs.

use xshell::{Shell, cmd};

use crate::{clients, engine, envoy, fuzz, guard, quickstart, web, worker};

/// The duration of each fuzz target within the tests, in seconds.
const FUZZ_SECONDS: u64 = 10;

pub(crate) fn test(shell: &Shell) -> anyhow::Result<()> {
    clients::install(shell)?;
    engine::build(shell)?;
    engine::prove_no_std(shell)?;
    web::test(shell)?;
    worker::test(shell)?;
    envoy::build(shell)?;
    cmd!(shell, "cargo test --locked --workspace").run()?;
    quickstart::type_it(shell)?;
    guard::guard(shell, false)?;
    fuzz::fuzz(shell, "all", FUZZ_SECONDS)
}
