//! Types `docs/quickstart.md`, block by block, as a newcomer does.
//!
//! The first block starts everything, in a folder of its own, and goes on while the others run. A
//! comment behind a command is what it fails with; every other command succeeds.
//!
//! Left out: looking at the playground.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use xshell::{Shell, cmd};

use crate::paths;

const DOCUMENT: &str = "docs/quickstart.md";
const FOLDER: &str = "target/quickstart";
/// How long building and starting everything may take.
const START: Duration = Duration::from_secs(900);

pub(crate) fn type_it(shell: &Shell) -> anyhow::Result<()> {
    let text = shell.read_file(DOCUMENT)?;
    let mut blocks = blocks(&text).into_iter();
    ensure!(blocks.next() == Some("cargo xtask run\n"), "{DOCUMENT} begins with another command");
    let rest: String = blocks.collect();
    shell.remove_path(FOLDER)?;
    let running = Running::start()?;
    let port = running.port(shell)?;
    let script = script(&rest.replace("5000", &port).replace("target/run", FOLDER))?;
    let home = paths::root().join(FOLDER).join("home");
    shell.create_dir(&home)?;
    let _home = shell.push_env("HOME", &home);
    let _runtime = shell.push_env("XDG_RUNTIME_DIR", &home);
    let _storage = shell.push_env("CONTAINERS_STORAGE_CONF", storage(shell, &home)?);
    let clients = paths::root().join("target/clients/venv/bin");
    let path = format!("{}:{}", clients.display(), std::env::var("PATH")?);
    let _path = shell.push_env("PATH", path);
    cmd!(shell, "bash -c {script}").run().with_context(|| format!("{DOCUMENT} is not so"))?;
    Ok(())
}

/// The commands of a document.
fn blocks(text: &str) -> Vec<&str> {
    text.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect()
}

/// Commands as a script that ends where one does something else than it should.
fn script(commands: &str) -> anyhow::Result<String> {
    let mut script = "set -euo pipefail\n".to_owned();
    for command in commands.lines().filter(|line| !line.is_empty()) {
        let Some((command, fails_with)) = command.split_once(" # ") else {
            writeln!(script, "{command}")?;
            continue;
        };
        writeln!(
            script,
            "if OUTPUT=$({command} 2>&1); then echo 'this was to fail: {fails_with}'; exit 1; fi\n\
             grep -F '{fails_with}' <<< \"$OUTPUT\" || {{ echo \"$OUTPUT\"; exit 1; }}"
        )?;
    }
    Ok(script)
}

/// podman's storage, which needs no kernel feature.
fn storage(shell: &Shell, home: &Path) -> anyhow::Result<PathBuf> {
    let file = home.join("storage.conf");
    let (graph, run) = (home.join("storage"), home.join("run"));
    let text = format!("[storage]\ndriver = \"vfs\"\ngraphroot = {graph:?}\nrunroot = {run:?}\n");
    shell.write_file(&file, text)?;
    Ok(file)
}

/// Everything that `cargo xtask run` starts.
struct Running(Child);

impl Running {
    fn start() -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        Ok(Self(command.args(["run", "--folder", FOLDER]).spawn()?))
    }

    /// The port of the one address, when everything is there.
    fn port(&self, shell: &Shell) -> anyhow::Result<String> {
        let begun = Instant::now();
        let guide = Path::new(FOLDER).join("guide.txt");
        while !shell.path_exists(&guide) {
            ensure!(begun.elapsed() < START, "nothing has started");
            std::thread::sleep(Duration::from_millis(100));
        }
        let text = shell.read_file(guide)?;
        let port = text.split("https://localhost:").nth(1).context("no address")?;
        Ok(port.chars().take_while(char::is_ascii_digit).collect())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It ends what it has started, when it is asked to.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_what_a_command_fails_with() {
        assert_eq!(blocks("a\n```sh\nb\n```\n```yaml\nc\n```\n```sh\nd\n```"), ["b\n", "d\n"]);
        let script = script("true\n\nfalse    # denied\n").unwrap();
        assert!(script.contains("\ntrue\nif OUTPUT=$(false"), "{script}");
        assert!(script.contains("grep -F 'denied'"), "{script}");
    }
}
