//! Clients that are written in Go, as their own tool chain builds them: Helm and regctl.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::software::process::attempt;
use crate::software::server::is_installed;

/// A client with a home of its own, towards a registry without HTTPS.
pub(crate) struct Built {
    program: PathBuf,
    home: TempDir,
}

impl Built {
    /// None where the machine has no Go to build it with.
    pub(crate) fn installed(name: &str) -> Option<Self> {
        if !is_installed("go") {
            return None;
        }
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/clients/go").join(name);
        assert!(program.is_file(), "no {}: run `cargo xtask setup`", program.display());
        Some(Self { program, home: tempfile::tempdir().unwrap() })
    }

    /// Its home, and where it is called.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Calls it with these words.
    pub(crate) fn run(&self, line: &str) -> Result<String, String> {
        let mut command = Command::new(&self.program);
        command.args(line.split(' ')).current_dir(self.home()).env("HOME", self.home());
        attempt(command.env("DOCKER_CONFIG", self.home()))
    }
}
