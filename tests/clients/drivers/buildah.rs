//! buildah, which makes an image out of nothing and pushes it.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::software::process::attempt;

pub(crate) struct Buildah {
    home: TempDir,
}

impl Buildah {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        // It wants to find the file that it is told of, even when it needs no credentials.
        std::fs::write(home.path().join("auth.json"), "{}").unwrap();
        Self { home }
    }

    pub(crate) fn login(&self, host: &str, user: &str, password: &str) -> Result<String, String> {
        self.run(&["login", "--tls-verify=false", "-u", user, "-p", password, host])
    }

    /// Makes an image that holds one file.
    pub(crate) fn build(&self, file: &Path, image: &str) -> Result<String, String> {
        let container = self.run(&["from", "scratch"])?;
        let container = container.trim();
        self.run(&["copy", container, file.to_str().unwrap(), "/hello"])?;
        self.run(&["commit", container, image])
    }

    /// Writes an image to a place that is no registry, such as `oci:folder:tag`.
    pub(crate) fn save(&self, image: &str, place: &str) -> Result<String, String> {
        self.run(&["push", image, place])
    }

    pub(crate) fn push(&self, image: &str) -> Result<String, String> {
        self.run(&["push", "--tls-verify=false", image])
    }

    pub(crate) fn tag(&self, image: &str, name: &str) -> Result<String, String> {
        self.run(&["tag", image, name])
    }

    pub(crate) fn pull(&self, image: &str) -> Result<String, String> {
        self.run(&["pull", "--policy=always", "--tls-verify=false", image])
    }

    fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let home = self.home.path();
        let mut command = Command::new("buildah");
        command.arg("--storage-driver=vfs");
        command.arg("--root").arg(home.join("storage")).arg("--runroot").arg(home.join("run"));
        command.args(arguments).env("HOME", home).env("XDG_RUNTIME_DIR", home);
        command.env("REGISTRY_AUTH_FILE", home.join("auth.json"));
        attempt(&mut command)
    }
}
