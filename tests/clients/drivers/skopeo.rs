//! skopeo, which asks for tokens as podman and buildah do: with GET and Basic, or with an identity
//! token in a chunked POST.

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use tempfile::TempDir;

use crate::software::authority::Authority;
use crate::software::process::{attempt, attempt_with};

/// skopeo with a home of its own, because it remembers where it saw blobs.
pub(crate) struct Skopeo {
    home: TempDir,
    certificate: Option<PathBuf>,
}

impl Skopeo {
    /// For a registry without HTTPS.
    pub(crate) fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), certificate: None }
    }

    /// For a registry, and a token server, that this authority vouches for.
    pub(crate) fn trusting(authority: &Authority) -> Self {
        Self { certificate: Some(authority.certificate()), ..Self::new() }
    }

    pub(crate) fn login(&self, host: &str, user: &str, password: &str) -> Result<String, String> {
        self.run(&["login", &self.tls(""), "-u", user, "-p", password, host])
    }

    /// The same with the password on its standard input.
    pub(crate) fn login_by_stdin(
        &self,
        host: &str,
        user: &str,
        password: &str,
    ) -> Result<String, String> {
        let arguments = ["login", &self.tls(""), "-u", user, "--password-stdin", host];
        attempt_with(&mut self.command(&arguments), password)
    }

    /// Writes the credentials of a client that has a refresh token and no password. The name goes
    /// unread, and must be there.
    pub(crate) fn login_with_identity_token(&self, host: &str, token: &str) {
        let auth = base64::engine::general_purpose::STANDARD.encode("anybody:");
        let entry = serde_json::json!({ "auth": auth, "identitytoken": token });
        let login = serde_json::json!({ "auths": { host: entry } });
        std::fs::write(self.home.path().join("auth.json"), login.to_string()).unwrap();
    }

    pub(crate) fn push(&self, layout: &Path, image: &str) -> Result<String, String> {
        let source = format!("oci:{}:v1", layout.display());
        self.run(&["copy", &self.tls("dest-"), &source, &docker(image)])
    }

    pub(crate) fn pull(&self, image: &str) -> Result<String, String> {
        let copy = format!("dir:{}", self.home.path().join("pulled").display());
        self.run(&["copy", &self.tls("src-"), &docker(image), &copy])
    }

    /// Copies from one repository to another, which mounts the blobs.
    pub(crate) fn copy(&self, from: &str, to: &str) -> Result<String, String> {
        let (source, destination) = (self.tls("src-"), self.tls("dest-"));
        self.run(&["copy", &source, &destination, &docker(from), &docker(to)])
    }

    pub(crate) fn list_tags(&self, repository: &str) -> Result<String, String> {
        self.run(&["list-tags", &self.tls(""), &docker(repository)])
    }

    pub(crate) fn delete(&self, image: &str) -> Result<String, String> {
        self.run(&["delete", &self.tls(""), &docker(image)])
    }

    /// Whether the registry's certificate is looked at; of the source's or the destination's
    /// registry, when there are two.
    fn tls(&self, which: &str) -> String {
        format!("--{which}tls-verify={}", self.certificate.is_some())
    }

    fn run(&self, arguments: &[&str]) -> Result<String, String> {
        attempt(&mut self.command(arguments))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("skopeo");
        command.args(arguments).env("HOME", self.home.path());
        command.env("REGISTRY_AUTH_FILE", self.home.path().join("auth.json"));
        if let Some(certificate) = &self.certificate {
            command.env("SSL_CERT_FILE", certificate).env_remove("SSL_CERT_DIR");
        }
        command
    }
}

fn docker(image: &str) -> String {
    format!("docker://{image}")
}
