//! podman, with a storage of its own that needs no kernel feature.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::software::process::{attempt, attempt_with};

pub(crate) struct Podman {
    home: TempDir,
}

impl Podman {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        // It wants to find the file that it is told of, even when it needs no credentials.
        std::fs::write(home.path().join("auth.json"), "{}").unwrap();
        Self { home }
    }

    pub(crate) fn login(&self, host: &str, user: &str, password: &str) -> Result<String, String> {
        self.run(&["login", "--tls-verify=false", "-u", user, "-p", password, host])
    }

    /// The same with the password on its standard input.
    pub(crate) fn login_by_stdin(
        &self,
        host: &str,
        user: &str,
        password: &str,
    ) -> Result<String, String> {
        let arguments = ["login", "--tls-verify=false", "-u", user, "--password-stdin", host];
        attempt_with(&mut self.command(&arguments), password)
    }

    /// Takes over the one image of an archive, under the name that it has there.
    pub(crate) fn load(&self, archive: &Path) -> Result<String, String> {
        self.run(&["load", "--quiet", "--input", archive.to_str().unwrap()])
    }

    pub(crate) fn pull(&self, image: &str) -> Result<String, String> {
        self.run(&["pull", "--tls-verify=false", image])
    }

    pub(crate) fn tag(&self, image: &str, name: &str) -> Result<String, String> {
        self.run(&["tag", image, name])
    }

    pub(crate) fn push(&self, image: &str) -> Result<String, String> {
        self.run(&["push", "--tls-verify=false", image])
    }

    pub(crate) fn search(&self, term: &str) -> Result<String, String> {
        self.run(&["search", "--tls-verify=false", term])
    }

    fn run(&self, arguments: &[&str]) -> Result<String, String> {
        attempt(&mut self.command(arguments))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let home = self.home.path();
        let mut command = Command::new("podman");
        command.arg("--storage-driver=vfs");
        command.arg("--root").arg(home.join("storage")).arg("--runroot").arg(home.join("run"));
        command.args(arguments).env("HOME", home).env("XDG_RUNTIME_DIR", home);
        command.env("REGISTRY_AUTH_FILE", home.join("auth.json"));
        command
    }
}
