//! skopeo, which asks for tokens as podman and buildah do: with GET and Basic, or with an identity token in a chunked POST.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use tempfile::TempDir;

use crate::software::process::attempt;

/// skopeo with a home of its own, because it remembers where it saw blobs.
pub(crate) struct Skopeo {
    home: TempDir,
}

impl Skopeo {
    pub(crate) fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn login(&self, host: &str, user: &str, password: &str) -> Result<String, String> {
        self.run(&["login", "--tls-verify=false", "-u", user, "-p", password, host])
    }

    /// Writes the credentials of somebody who holds a refresh token and no password. The name goes unread, and must be there.
    pub(crate) fn login_with_identity_token(&self, host: &str, token: &str) {
        let auth = base64::engine::general_purpose::STANDARD.encode("anybody:");
        let entry = serde_json::json!({ "auth": auth, "identitytoken": token });
        let login = serde_json::json!({ "auths": { host: entry } });
        std::fs::write(self.home.path().join("auth.json"), login.to_string()).unwrap();
    }

    pub(crate) fn push(&self, layout: &Path, image: &str) -> Result<String, String> {
        let source = format!("oci:{}:v1", layout.display());
        self.run(&["copy", "--dest-tls-verify=false", &source, &docker(image)])
    }

    pub(crate) fn pull(&self, image: &str) -> Result<String, String> {
        let copy = format!("dir:{}", self.home.path().join("pulled").display());
        self.run(&["copy", "--src-tls-verify=false", &docker(image), &copy])
    }

    /// Copies from one repository to another, which mounts the blobs.
    pub(crate) fn copy(&self, from: &str, to: &str) -> Result<String, String> {
        let tls = ["--src-tls-verify=false", "--dest-tls-verify=false"];
        self.run(&["copy", tls[0], tls[1], &docker(from), &docker(to)])
    }

    pub(crate) fn list_tags(&self, repository: &str) -> Result<String, String> {
        self.run(&["list-tags", "--tls-verify=false", &docker(repository)])
    }

    pub(crate) fn delete(&self, image: &str) -> Result<String, String> {
        self.run(&["delete", "--tls-verify=false", &docker(image)])
    }

    fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new("skopeo");
        command.args(arguments).env("HOME", self.home.path());
        command.env("REGISTRY_AUTH_FILE", self.home.path().join("auth.json"));
        attempt(&mut command)
    }
}

fn docker(image: &str) -> String {
    format!("docker://{image}")
}
