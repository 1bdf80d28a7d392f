//! The playground, `web/`: a page of static files, built into `target/web`.

use anyhow::bail;
use xshell::{Shell, cmd};

use crate::stamp::Stamp;
use crate::{bindgen, node, paths, setup};

/// What the built page is made of, beside the engine. Not its tests, or else each change of one
/// would build the server anew.
const SOURCES: [&str; 6] =
    ["build", "index.html", "package-lock.json", "public", "src", "vite.config.ts"];

/// Does one of the things that `cargo xtask web` can.
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

/// Builds the page, unless it is there already. A page that is larger than it may be is an error.
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

/// Types, lints and formatting, also of the scripts that belong to the page and are elsewhere.
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

/// The page's units, and then the built page in a browser.
pub(crate) fn test(shell: &Shell) -> anyhow::Result<()> {
    build(shell)?;
    // What the page exports is run by the command line that it is for.
    cmd!(shell, "cargo build --locked --quiet --package scopegate-cli").run()?;
    let _cli = shell.push_env("SCOPEGATE_CLI", paths::root().join("target/debug/scopegate"));
    run(shell, "vitest/vitest.mjs", &["run"])?;
    run(shell, "@playwright/test/cli.js", &["test"])
}

/// How fast the built page is in a browser.
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
