//! Other people's clients, which the tests call: from PyPI, npm, Go and Maven.
//!
//! Each kind is cached in `target/clients` until its list changes.

use std::path::Path;
use std::slice;

use xshell::{Shell, cmd};

use crate::setup::{self, has};
use crate::stamp::Stamp;
use crate::{node, paths};

/// The folder with their lists.
const LISTS: &str = "tests/clients";

/// Installs all that the tests need: the clients, and the programs beside them.
pub(crate) fn install(shell: &Shell) -> anyhow::Result<()> {
    setup::for_tests(shell)?;
    python_clients(shell)?;
    go_clients(shell)?;
    go_sdk(shell)?;
    java_sdk(shell)?;
    node::install(shell, &paths::root().join(LISTS), "the clients for node")
}

/// Environments of Python, and the folder with the lists of each: the Azure clients and Envoy,
/// which is on PyPI too, and the oldest `az` that works.
const ENVIRONMENTS: [(&str, &str); 2] = [("venv", ""), ("oldest-az", "oldest-az")];

fn python_clients(shell: &Shell) -> anyhow::Result<()> {
    ENVIRONMENTS.into_iter().try_for_each(|(name, lists)| {
        python_environment(shell, name, &paths::root().join(LISTS).join(lists))
    })
}

/// Makes an environment, which is cached until its lists change: it takes a minute.
fn python_environment(shell: &Shell, name: &str, lists: &Path) -> anyhow::Result<()> {
    let environment = paths::root().join("target/clients").join(name);
    let (list, versions) = (lists.join("requirements.txt"), lists.join("constraints.txt"));
    // An environment holds its own path, so a moved one is unusable.
    let (path, listed) = (environment.display(), shell.read_file(&list)?);
    let wanted = format!("# {path}\n{listed}{}", shell.read_file(&versions)?);
    let stamp = environment.join("requirements.txt");
    if shell.read_file(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("setup: installing clients in Python ({name}), which takes a minute");
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

/// Installs cosign, crane, Helm, oras and regctl, which Debian does not have, when Go is installed.
/// What is in the list already is not built again: all of it takes minutes.
fn go_clients(shell: &Shell) -> anyhow::Result<()> {
    if !has(shell, "go") {
        println!(
            "setup: without go there is no cosign, crane, helm, oras, regctl or SDK for Go, and no conformance suite"
        );
        return Ok(());
    }
    let folder = paths::root().join("target/clients/go");
    let wanted = shell.read_file(paths::root().join(LISTS).join("go.txt"))?;
    let stamp = folder.join("go.txt");
    let installed = shell.read_file(&stamp).unwrap_or_default();
    if installed == wanted {
        return Ok(());
    }
    println!("setup: building the clients that are written in Go, which may take minutes");
    shell.create_dir(&folder)?;
    let _place = shell.push_env("GOBIN", &folder);
    let is_missing = |package: &&str| !installed.lines().any(|line| line == *package);
    for package in wanted.lines().filter(is_missing) {
        cmd!(shell, "go install {package}").quiet().run()?;
    }
    Ok(shell.write_file(stamp, wanted)?)
}

/// Builds the program that calls the SDK for Go.
fn go_sdk(shell: &Shell) -> anyhow::Result<()> {
    let folder = paths::root().join("target/clients/sdk-go");
    let sources = paths::root().join(LISTS).join("sdk-go");
    let stamp = Stamp::new(shell, folder.join(".installed"), slice::from_ref(&sources))?;
    if !has(shell, "go") || stamp.is_current(shell) {
        return Ok(());
    }
    println!("setup: building the client with the SDK for Go");
    let program = folder.join("sdk");
    let _folder = shell.push_dir(sources);
    cmd!(shell, "go build -o {program} .").quiet().run()?;
    stamp.write(shell)
}

/// Fetches the SDK for Java, and compiles the program that calls it.
fn java_sdk(shell: &Shell) -> anyhow::Result<()> {
    if !has(shell, "mvn") || !has(shell, "javac") {
        println!("setup: without mvn and javac there is no SDK for Java");
        return Ok(());
    }
    let folder = paths::root().join("target/clients/sdk-java");
    let sources = paths::root().join(LISTS).join("sdk-java");
    let stamp = Stamp::new(shell, folder.join(".installed"), slice::from_ref(&sources))?;
    if stamp.is_current(shell) {
        return Ok(());
    }
    println!("setup: fetching the SDK for Java");
    // Libraries of an earlier version would be on the class path too.
    shell.remove_path(&folder)?;
    let libraries = folder.join("lib");
    let _folder = shell.push_dir(sources);
    cmd!(
        shell,
        "mvn --batch-mode --quiet dependency:copy-dependencies -DoutputDirectory={libraries}"
    )
    .quiet()
    .run()?;
    let class_path = libraries.join("*");
    cmd!(shell, "javac -Xlint:all -Werror -cp {class_path} -d {folder} Sdk.java").quiet().run()?;
    stamp.write(shell)
}
