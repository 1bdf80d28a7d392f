//! The Cloudflare Worker, `hosts/worker`: one JavaScript module and the engine's, built into `target/worker`.

use xshell::{Shell, cmd};

use crate::{engine, node, setup};

/// Checks the worker's types and builds it.
pub(crate) fn build(shell: &Shell) -> anyhow::Result<()> {
    let folder = engine::root().join("hosts/worker");
    engine::build(shell)?;
    setup::node(shell)?;
    node::install(shell, &folder, "the worker's tools")?;
    let node = node::program(shell)?;
    let _folder = shell.push_dir(folder);
    cmd!(shell, "{node} node_modules/typescript/bin/tsc").run()?;
    cmd!(shell, "{node} node_modules/vite/bin/vite.js build").run()?;
    Ok(())
}
