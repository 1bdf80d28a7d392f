//! The Cloudflare Worker, `hosts/worker`: one JavaScript module and the engine's, built into
//! `target/worker`.

use std::path::PathBuf;

use xshell::{Shell, cmd};

use crate::{engine, node, paths, setup};

/// Builds the worker.
pub(crate) fn build(shell: &Shell) -> anyhow::Result<()> {
    engine::build_for_worker(shell)?;
    install(shell)?;
    run(shell, "vite/bin/vite.js", &["build"])
}

/// Checks types, lints and formatting.
pub(crate) fn check(shell: &Shell) -> anyhow::Result<()> {
    install(shell)?;
    run(shell, "typescript/bin/tsc", &[])?;
    run(shell, "@biomejs/biome/bin/biome", &["check", "--error-on-warnings", "."])
}

/// Runs the unit tests, and builds the worker for the integration tests.
pub(crate) fn test(shell: &Shell) -> anyhow::Result<()> {
    build(shell)?;
    run(shell, "vitest/vitest.mjs", &["run"])
}

fn folder() -> PathBuf {
    paths::root().join("hosts/worker")
}

fn install(shell: &Shell) -> anyhow::Result<()> {
    setup::node(shell)?;
    node::install(shell, &folder(), "the worker's tools")
}

fn run(shell: &Shell, tool: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let _folder = shell.push_dir(folder());
    let (node, tool) = (node::program(shell)?, folder().join("node_modules").join(tool));
    cmd!(shell, "{node} {tool} {arguments...}").quiet().run()?;
    Ok(())
}
