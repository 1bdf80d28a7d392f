//! docker's command line without a daemon: it logs in by itself, and reads and writes manifests by
//! itself.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::software::process::{attempt, attempt_with};
use crate::software::server::is_installed;

/// Where there is no daemon, so that none is asked, even on a machine that has one.
const NOBODY: &str = "unix:///nonexistent";

pub(crate) struct Docker {
    config: TempDir,
}

impl Docker {
    /// docker, where it is installed: Debian packages it with its daemon only, which no test needs.
    pub(crate) fn installed() -> Option<Self> {
        is_installed("docker").then(|| Self { config: tempfile::tempdir().unwrap() })
    }

    pub(crate) fn login(&self, host: &str, user: &str, password: &str) -> Result<String, String> {
        self.run(&["login", "-u", user, "-p", password, host])
    }

    /// The same with the password on its standard input.
    pub(crate) fn login_by_stdin(
        &self,
        host: &str,
        user: &str,
        password: &str,
    ) -> Result<String, String> {
        let arguments = ["login", "-u", user, "--password-stdin", host];
        attempt_with(&mut self.command(&arguments), password)
    }

    /// What docker keeps of a login.
    pub(crate) fn kept(&self, host: &str) -> Value {
        let text = std::fs::read_to_string(self.config.path().join("config.json")).unwrap();
        let config: Value = serde_json::from_str(&text).unwrap();
        config["auths"][host].clone()
    }

    /// Reads a manifest, as a pull begins.
    pub(crate) fn inspect(&self, image: &str) -> Result<String, String> {
        self.run(&["manifest", "inspect", "--insecure", image])
    }

    /// Pushes a list of one image, which mounts the image's manifest from the other repository.
    pub(crate) fn push_list(&self, list: &str, image: &str) -> Result<String, String> {
        self.run(&["manifest", "create", "--insecure", list, image])?;
        self.run(&["manifest", "push", "--insecure", list])
    }

    /// A command that `az` may call in docker's place: it believes that there is a daemon.
    pub(crate) fn for_az(&self) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.config.path().join("docker");
        let config = self.config.path().display();
        let script = format!(
            "#!/bin/sh\n[ \"$1\" = ps ] && exit 0\nDOCKER_HOST={NOBODY} DOCKER_CONFIG='{config}' exec docker \"$@\"\n"
        );
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn run(&self, arguments: &[&str]) -> Result<String, String> {
        attempt(&mut self.command(arguments))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.env("DOCKER_HOST", NOBODY).env("DOCKER_CONFIG", self.config.path());
        command.args(arguments);
        command
    }
}
