//! A shell in which the documents' lines are typed: `az`, `docker`, `curl` and what the scripts
//! call, each with a configuration of its own, and all trusting the scene's authority.
//!
//! Left out: a daemon of docker. Its own command line logs in; podman, which reads the same file of
//! logins, does the rest under that name.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::drivers::az::environment;
use crate::software::process::{attempt, said};
use crate::software::server::scripts;

/// How long the lines of one statement may take, in seconds.
const TIMEOUT: &str = "180";
/// Functions for what a reader does by hand.
const BY_HAND: &str = r#"
# keep NAME VALUE: copies a value for the statements that follow.
keep() { printf '%s=%q\n' "$1" "$2" >> "$HOME/variables"; }
# filled SCRIPT NAME=VALUE…: a script of the documents with its variables filled in.
filled() { bash "$CLIENTS/documents/filled.sh" "$@" > "$HOME/filled.sh" && echo "$HOME/filled.sh"; }
# signs_in NAME ADDRESS [CODE]: a person with a browser at the provider's pages.
signs_in() { node "$CLIENTS/browser.mjs" "$2" "$1" "${3-}"; }
# until_written FILE: waits for a file that has something in it.
until_written() { timeout 60 sh -c 'until [ -s "$1" ]; do sleep 0.2; done' - "$1"; }
# claims TOKEN: what a token says.
claims() { cut -d. -f2 <<< "$1" | tr '_-' '/+' | base64 -di 2>/dev/null | jq -c .; }
"#;

pub(super) struct Shell {
    home: TempDir,
    host: String,
}

impl Shell {
    /// A shell that knows these variables, and trusts this certificate.
    pub(super) fn new(host: &str, certificate: &Path, variables: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let shell = Self { home, host: host.to_owned() };
        for folder in ["bin", "empty", "docker"] {
            std::fs::create_dir(shell.home.path().join(folder)).unwrap();
        }
        std::fs::write(shell.home.path().join("docker/config.json"), "{}").unwrap();
        std::os::unix::fs::symlink(environment().join("bin/az"), shell.home.path().join("bin/az"))
            .unwrap();
        shell.make_docker();
        let mut text = format!("certificate={}\n", certificate.display());
        for (name, value) in variables {
            writeln!(text, "{name}='{value}'").unwrap();
        }
        std::fs::write(shell.home.path().join("variables"), text).unwrap();
        shell
    }

    fn make_docker(&self) {
        let home = self.home.path().display();
        let login = attempt(Command::new("which").arg("docker")).map_or(String::new(), |docker| {
            let docker = docker.trim();
            format!("    login|logout) DOCKER_HOST=unix:///nonexistent exec {docker} \"$@\" ;;\n")
        });
        let script = format!(
            "#!/bin/sh\ncase \"$1\" in\n    ps) exit 0 ;;\n{login}esac\n\
             exec podman --storage-driver=vfs --root {home}/storage --runroot {home}/run \"$@\"\n"
        );
        let path = self.home.path().join("bin/docker");
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Types these lines; gives all that they print, and behind it the status of the last one in
    /// brackets.
    pub(super) fn types(&self, lines: &str) -> String {
        let home = self.home.path();
        let script =
            format!("exec 2>&1\n. \"$HOME/variables\"\n{BY_HAND}\n(\n{lines}\n)\necho \"[$?]\"\n");
        let path = format!("{}/bin:{}", home.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("timeout");
        command.args([TIMEOUT, "bash", "-c", &script]).current_dir(home.join("empty"));
        command.env("PATH", path).env("HOME", home).env("XDG_RUNTIME_DIR", home);
        command.env("SCRIPTS", scripts().join("documents/scripts"));
        command.env("CLIENTS", scripts()).env("registry", &self.host);
        let certificate = self.variable("certificate");
        for name in ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"]
        {
            command.env(name, &certificate);
        }
        command.env("DOCKER_CONFIG", home.join("docker"));
        command.env("REGISTRY_AUTH_FILE", home.join("docker/config.json"));
        command.env("AZURE_CONFIG_DIR", home.join("azure"));
        command.env("AZURE_CORE_COLLECT_TELEMETRY", "0").env("AZURE_CORE_NO_COLOR", "1");
        command.env("NO_PROXY", "localhost").env("PYTHON", environment().join("bin/python"));
        said(&mut command)
    }

    fn variable(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.home.path().join("variables")).unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value.unwrap_or_default().to_owned()
    }
}
