//! Other people's clients, which the tests call: from PyPI, npm and Go.
//!
//! Each kind is cached in `target/clients` until its list changes: it takes minutes.

use xshell::{Shell, cmd};

use crate::setup::{self, has};
use crate::{node, paths};

/// The folder with their lists.
const LISTS: &str = "tests/clients";

/// Installs all that the tests need: the clients, and the programs beside them.
pub(crate) fn install(shell: &Shell) -> anyhow::Result<()> {
    setup::for_tests(shell)?;
    python_clients(shell)?;
    go_clients(shell)?;
    node::install(shell, &paths::root().join(LISTS), "the clients for node")
}

/// Installs the Azure clients for Python and Envoy, which is on PyPI too, in an environment that is
/// cached until the list changes: it takes a minute.
fn python_clients(shell: &Shell) -> anyhow::Result<()> {
    let environment = paths::root().join("target/clients/venv");
    let lists = paths::root().join(LISTS);
    let (list, versions) = (lists.join("requirements.txt"), lists.join("constraints.txt"));
    // An environment holds its own path, so a moved one is unusable.
    let (path, listed) = (environment.display(), shell.read_file(&list)?);
    let wanted = format!("# {path}\n{listed}{}", shell.read_file(&versions)?);
    let stamp = environment.join("requirements.txt");
    if shell.read_file(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("setup: installing the Azure clients for Python and Envoy, which takes a minute");
    shell.remove_path(&environment)?;
    cmd!(shell, "python3 -m venv {environment}").quiet().run()?;
    let python = environment.join("bin/python");
    cmd!(
        shell,
        "{python} -m pip install --quiet --disable-pip-version-check --requirement {list} --constraint {versions}"
    )
    .quiet()
    .run()?;
    Ok(shell.write_file(stamp, wanted)?)
}

/// Installs cosign, crane, Helm and oras, which Debian does not have, when Go is installed. Cached
/// until the list changes: it takes minutes.
fn go_clients(shell: &Shell) -> anyhow::Result<()> {
    if !has(shell, "go") {
        println!(
            "setup: without go there is no cosign, crane, helm or oras, and no conformance suite"
        );
        return Ok(());
    }
    let folder = paths::root().join("target/clients/go");
    let wanted = shell.read_file(paths::root().join(LISTS).join("go.txt"))?;
    let stamp = folder.join("go.txt");
    if shell.read_file(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("setup: building the clients that are written in Go, which takes minutes");
    shell.create_dir(&folder)?;
    let _place = shell.push_env("GOBIN", &folder);
    for package in wanted.lines() {
        cmd!(shell, "go install {package}").quiet().run()?;
    }
    Ok(shell.write_file(stamp, wanted)?)
}
