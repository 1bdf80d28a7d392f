//! `az`, with a configuration of its own.
//!
//! Each call starts a Python interpreter and costs about a second, so tests make few of them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::software::front::Front;
use crate::software::process::{Running, attempt, eventually, run, said};
use crate::software::server::Administrator;

/// The name of our cloud, beside Azure's own.
const CLOUD: &str = "Scopegate";

pub(crate) struct Az {
    program: PathBuf,
    config: TempDir,
    certificate: PathBuf,
    /// The program that replaces docker, which `az acr login` calls.
    docker: Option<PathBuf>,
}

impl Az {
    /// A fresh installation that trusts the front's authority, and no other.
    pub(crate) fn new(front: &Front, docker: Option<PathBuf>) -> Self {
        Self { docker, ..Self::trusting(front.certificate()) }
    }

    /// The same for an authority's certificate.
    pub(crate) fn trusting(certificate: &Path) -> Self {
        let (program, config) = (environment().join("bin/az"), tempfile::tempdir().unwrap());
        Self { program, config, certificate: certificate.to_owned(), docker: None }
    }

    /// The oldest version that works, which trusts an authority's certificate.
    pub(crate) fn oldest(certificate: &Path) -> Self {
        let program = installed("oldest-az").join("bin/az");
        Self { program, ..Self::trusting(certificate) }
    }

    /// Makes our server the cloud, by what it says about itself, and logs in to its own authority.
    #[track_caller]
    pub(crate) fn sign_in(&self, url: &str, who: &Administrator) {
        self.choose(url);
        self.log_in(who);
    }

    /// Logs in as a service principal.
    #[track_caller]
    pub(crate) fn log_in(&self, who: &Administrator) {
        let Administrator { client_id, secret, tenant } = who;
        let login =
            ["login", "--service-principal", "-u", client_id, "-p", secret, "--tenant", tenant];
        let accounts = self.run(&login).unwrap();
        assert_eq!(accounts[0]["tenantId"], **tenant, "{accounts}");
    }

    /// Makes our server the cloud, by what it says about itself.
    #[track_caller]
    pub(crate) fn choose(&self, url: &str) {
        self.run(&["cloud", "register", "-n", CLOUD, "--endpoint-resource-manager", url]).unwrap();
        self.run(&["cloud", "set", "-n", CLOUD]).unwrap();
        // Whether an authority is genuine is otherwise asked of Microsoft's, which does not know
        // ours.
        let off = ["core.instance_discovery=false", "core.login_experience_v2=off"];
        self.run(&[&["config", "set"], &off[..]].concat()).unwrap();
    }

    /// Begins `az login` of a person in a browser; `sign_in` is the person, who is given the
    /// address that `az` opens.
    pub(crate) fn log_in_by_browser(
        &self,
        arguments: &[&str],
        sign_in: impl FnOnce(&str),
    ) -> Result<Value, String> {
        let opened = self.config.path().join("opened");
        // It would be that of the login before.
        let _ = std::fs::remove_file(&opened);
        let browser = self.config.path().join("browser.sh");
        let script = format!("#!/bin/sh\nprintf '%s\\n' \"$1\" > {}\n", opened.display());
        std::fs::write(&browser, script).unwrap();
        run(Command::new("chmod").arg("+x").arg(&browser));
        let mut command = self.command(&[&["login"], arguments].concat());
        command.env("BROWSER", format!("{} %s", browser.display()));
        self.log_in_as_person(command, sign_in, || {
            let text = std::fs::read_to_string(&opened).unwrap_or_default();
            let address = text.strip_suffix('\n').map(ToOwned::to_owned);
            address.ok_or_else(|| "az opens no browser".to_owned())
        })
    }

    /// The same with a device code; the person is given what `az` says.
    pub(crate) fn log_in_by_code(
        &self,
        arguments: &[&str],
        sign_in: impl FnOnce(&str),
    ) -> Result<Value, String> {
        let command = self.command(&[&["login", "--use-device-code"], arguments].concat());
        let log = self.config.path().join("login.log");
        self.log_in_as_person(command, sign_in, || {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let is_message = |line: &&str| line.contains("enter the code");
            let message = text.lines().find(is_message).map(ToOwned::to_owned);
            message.ok_or_else(|| format!("az shows no code: {text}"))
        })
    }

    fn log_in_as_person(
        &self,
        mut command: Command,
        sign_in: impl FnOnce(&str),
        shown: impl Fn() -> Result<String, String>,
    ) -> Result<Value, String> {
        let log = self.config.path().join("login.log");
        let mut running = Running::start(&mut command, log);
        sign_in(&eventually(Duration::from_secs(60), shown));
        let went_well = running.wait();
        let text = running.log();
        // What it prints is JSON, after the lines for people.
        let json = text.find("\n[").map_or("", |start| &text[start..]);
        if went_well { Ok(serde_json::from_str(json).unwrap_or(Value::Null)) } else { Err(text) }
    }

    /// Makes a cloud of which only the registry is there, so that no login is possible. A
    /// registry's host is its name and the cloud's suffix: of `localhost:PORT`, the name is
    /// `local`, because five letters is the least that a name may have.
    #[track_caller]
    pub(crate) fn without_login(&self, front: &Front) {
        let (url, host) = (front.url(), front.host());
        let suffix = host.strip_prefix("local").unwrap();
        let mut register = vec!["cloud", "register", "-n", CLOUD, "--skip-endpoint-discovery"];
        for endpoint in [
            "--endpoint-resource-manager",
            "--endpoint-active-directory",
            "--endpoint-active-directory-resource-id",
            "--endpoint-management",
        ] {
            register.extend([endpoint, &url]);
        }
        register.extend(["--suffix-acr-login-server-endpoint", suffix]);
        self.run(&register).unwrap();
        self.run(&["cloud", "set", "-n", CLOUD]).unwrap();
    }

    /// Runs `az acr`, and reads what it prints.
    pub(crate) fn acr(&self, arguments: &[&str]) -> Result<Value, String> {
        self.run(&[&["acr"], arguments].concat())
    }

    /// Runs `az acr check-health`, which looks at more than it can find here, and gives all that it
    /// says.
    pub(crate) fn check_health(&self, repository: &str) -> String {
        let check = ["acr", "check-health", "-n", "registry", "--ignore-errors", "--yes"];
        said(self.command(&check).args(["--repository", repository]))
    }

    /// Runs `az`, and reads what it prints.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Value, String> {
        let printed = attempt(&mut self.command(arguments))?;
        Ok(serde_json::from_str(&printed).unwrap_or(Value::Null))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).args(["--output", "json"]);
        command.env("AZURE_CONFIG_DIR", self.config.path());
        command.env("REQUESTS_CA_BUNDLE", &self.certificate);
        command.env("AZURE_CORE_COLLECT_TELEMETRY", "0").env("AZURE_CORE_NO_COLOR", "1");
        command.env("NO_PROXY", "localhost");
        if let Some(docker) = &self.docker {
            command.env("DOCKER_COMMAND", docker);
        }
        command
    }
}

/// The virtual environment of the clients in Python.
pub(crate) fn environment() -> PathBuf {
    installed("venv")
}

/// What `cargo xtask setup` installs under a name.
fn installed(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/clients").join(name);
    path.canonicalize().unwrap_or_else(|_| panic!("no {name}: run `cargo xtask setup`"))
}
