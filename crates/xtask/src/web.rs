//! The playground, `web/`: a page of static files, built into `target/web`.

use anyhow::bail;
use xshell::{Shell, cmd};

use crate::stamp::Stamp;
use crate::{bindgen, node, paths, setup};

/// The inputs of the built page, besides the engine. Without its tests, so that a change of one
/// does not rebuild the server.
const SOURCES: [&str; 6] =
    ["build", "index.html", "package-lock.json", "public", "src", "vite.config.ts"];

/// Runs a task of `cargo xtask web`.
pub(crate) fn web(shell: &Shell, task: &str) -> anyhow::Result<()> {
    match task {
        "dev" => dev(shell),
        "build" => build(shell),
        "check" => check(shell),
        "test" => test(shell),
        "bench" => bench(shell),
        _ => bail!("no such task: {task}; there are dev, build, check, test and bench"),
    }
}

/// Builds the page, unless it is current. A page above its size limit is an error.
pub(crate) fn build(shell: &Shell) -> anyhow::Result<()> {
    let mut inputs = SOURCES.map(|source| paths::web().join(source)).to_vec();
    inputs.push(bindgen::build(shell)?);
    let built = paths::root().join("target/web");
    let stamp = Stamp::new(shell, built.with_extension("stamp"), &inputs)?;
    if stamp.is_current(shell) && built.is_dir() {
        return Ok(());
    }
    stamp.clear(shell)?;
    run(shell, "vite/bin/vite.js", &["build"])?;
    stamp.write(shell)
}

/// Checks types, lints and formatting, also of the page's scripts in other folders.
pub(crate) fn check(shell: &Shell) -> anyhow::Result<()> {
    bindgen::build(shell)?;
    for project in ["tsconfig.json", "tsconfig.worker.json", "tsconfig.tools.json"] {
        run(shell, "typescript/bin/tsc", &["--noEmit", "--project", project])?;
    }
    let scripts = [
        "check",
        "--error-on-warnings",
        ".",
        "../tests/web",
        "../crates/scopegate-bindgen/package",
    ];
    run(shell, "@biomejs/biome/bin/biome", &scripts)
}

/// Runs the page's unit tests, and then the built page in a browser.
pub(crate) fn test(shell: &Shell) -> anyhow::Result<()> {
    build(shell)?;
    // The command line runs the files that the page exports.
    cmd!(shell, "cargo build --locked --quiet --package scopegate-cli").run()?;
    let _cli = shell.push_env("SCOPEGATE_CLI", paths::root().join("target/debug/scopegate"));
    run(shell, "vitest/vitest.mjs", &["run"])?;
    run(shell, "@playwright/test/cli.js", &["test"])
}

/// Measures the built page in a browser.
fn bench(shell: &Shell) -> anyhow::Result<()> {
    setup::for_tests(shell)?;
    build(shell)?;
    let (node, script) = (node::program(shell)?, paths::web().join("bench/page.mjs"));
    Ok(cmd!(shell, "{node} {script}").quiet().run()?)
}

/// Serves the page while it is edited.
fn dev(shell: &Shell) -> anyhow::Result<()> {
    bindgen::build(shell)?;
    run(shell, "vite/bin/vite.js", &[])
}

fn run(shell: &Shell, path: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let _folder = shell.push_dir(paths::web());
    let (node, tool) = (node::program(shell)?, paths::web_tool(path));
    cmd!(shell, "{node} {tool} {arguments...}").quiet().run()?;
    Ok(())
}
