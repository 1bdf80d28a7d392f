//! Checks formatting, lints and documentation, with warnings denied, and the dependencies.

use xshell::{Shell, cmd};

use crate::setup::TARGET;
use crate::{deny, engine, setup, web, worker};

pub(crate) fn check(shell: &Shell) -> anyhow::Result<()> {
    cmd!(shell, "cargo fmt --all --check").run()?;
    cmd!(shell, "cargo fmt --check --manifest-path benches/peers/Cargo.toml").run()?;
    // The runtime embeds the engine and the server embeds the page, so both are built first.
    engine::build(shell)?;
    web::build(shell)?;
    web::check(shell)?;
    worker::check(shell)?;
    setup::gateway(shell)?;
    cmd!(shell, "cargo clippy --locked --workspace --all-targets -- -D warnings").run()?;
    // Natively nothing calls the filter for Envoy, so dead code in it shows here alone.
    cmd!(
        shell,
        "cargo clippy --locked --package scopegate-envoy-filter --target {TARGET} -- -D warnings"
    )
    .run()?;
    cmd!(shell, "cargo doc --locked --workspace --no-deps --document-private-items --quiet")
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()?;
    deny::deny(shell)
}
