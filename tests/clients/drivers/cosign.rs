//! cosign, which signs an image by pushing another one beside it: under a tag made from the digest,
//! or as a referrer.
//!
//! Left out: its services on the internet. The key is on disk, and no log is asked.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::software::process::attempt;

/// Of authorities and logs, none is trusted: the key alone is.
const TRUSTED_ROOT: &str =
    r#"{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}"#;

/// How a signature is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    /// `sha256-….sig`
    Tag,
    /// A bundle that names its subject.
    Referrer,
}

/// cosign with a home and a key pair of its own.
pub(crate) struct Cosign {
    program: PathBuf,
    home: TempDir,
}

impl Cosign {
    /// None where the machine has no cosign, because it has no Go.
    pub(crate) fn installed() -> Option<Self> {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/clients/go/cosign");
        let home = tempfile::tempdir().unwrap();
        let cosign = program.is_file().then_some(Self { program, home })?;
        std::fs::write(cosign.home.path().join("root.json"), TRUSTED_ROOT).unwrap();
        cosign.run(&["generate-key-pair"]).unwrap();
        Some(cosign)
    }

    pub(crate) fn login(&self, host: &str, user: &str, password: &str) {
        self.run(&["login", host, "-u", user, "-p", password]).unwrap();
    }

    pub(crate) fn sign(&self, image: &str, form: Form) -> Result<String, String> {
        let bundle = format!("--new-bundle-format={}", matches!(form, Form::Referrer));
        let local = ["--yes", "--key=cosign.key", "--tlog-upload=false", "--allow-http-registry"];
        self.run(&[&["sign", &bundle], &local[..], &[image]].concat())
    }

    pub(crate) fn verify(&self, image: &str, form: Form) -> Result<String, String> {
        let bundle = format!("--new-bundle-format={}", matches!(form, Form::Referrer));
        let local = ["--key=cosign.pub", "--trusted-root=root.json", "--insecure-ignore-tlog"];
        self.run(&[&["verify", &bundle, "--allow-http-registry"], &local[..], &[image]].concat())
    }

    fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let home = self.home.path();
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(home).env("HOME", home);
        attempt(command.env("DOCKER_CONFIG", home).env("COSIGN_PASSWORD", "of the key"))
    }
}
