//! Our own server, as its users run it: a program with a command line.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tempfile::TempDir;

use super::process::{Running, attempt, free_port, run};

/// What the `iss` claim and the registry's configuration say, where nothing else is configured.
pub(crate) const ISSUER: &str = "clients";

/// A data folder, and the servers that were started on it.
pub(crate) struct Server {
    folder: TempDir,
    port: u16,
    settings: Settings,
    largest_file: Option<u64>,
    running: Option<Running>,
}

/// Where a server differs from another.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    /// The registry's name to its clients. By default one that no test looks up.
    pub(crate) service: Option<String>,
    /// Where clients reach the server, when a proxy is in front of it.
    pub(crate) public_url: Option<String>,
    /// The database, when it is not the embedded one.
    pub(crate) database_url: Option<String>,
    /// The configuration file's text.
    pub(crate) config: Option<String>,
}

impl Settings {
    /// A server that proxies on loopback may ask about every request. Its limits are those that
    /// everybody has.
    pub(crate) fn asked_by_proxies() -> Self {
        let config = "authz: {peers: [127.0.0.1]}\nlimits: {trustedProxies: [127.0.0.1]}\n";
        Self { config: Some(config.to_owned()), ..Self::default() }
    }

    /// The same for a hundred thousand requests from one address, each tenth of which has a forged
    /// token.
    pub(crate) fn asked_without_end() -> Self {
        let config = "authz: {peers: [127.0.0.1]}\nlimits: {perAddress: {rate: 0, burst: 1}}\nlog: {decisions: false}\n";
        Self { config: Some(config.to_owned()), ..Self::default() }
    }
}

/// The local administrator of a data folder.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Administrator {
    pub(crate) client_id: String,
    pub(crate) secret: String,
    pub(crate) tenant: String,
}

/// A client that reads what an edge needs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EdgeReader {
    pub(crate) client_id: String,
    pub(crate) secret: String,
}

impl EdgeReader {
    /// What it sends as `Authorization`.
    pub(crate) fn authorization(&self) -> String {
        let text = format!("{}:{}", self.client_id, self.secret);
        format!("Basic {}", STANDARD.encode(text))
    }
}

/// A password that was generated.
#[derive(Deserialize)]
struct Generated {
    value: String,
}

impl Server {
    /// A server that is not started yet.
    pub(crate) fn new(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, port: free_port(), settings, largest_file: None, running: None }
    }

    /// A server with these scope maps and tokens, started.
    #[track_caller]
    pub(crate) fn with(settings: Settings, seed: &str) -> (Self, Vec<String>) {
        let mut server = Self::new(settings);
        let passwords = server.apply(seed);
        server.start();
        (server, passwords)
    }

    #[track_caller]
    pub(crate) fn start(&mut self) {
        let mut command = match self.largest_file {
            None => Command::new(program()),
            Some(blocks) => limited(blocks),
        };
        command.arg("serve").arg("--data").arg(self.data());
        command.args(["--service", self.service()]);
        if !self.answers_as_acr() {
            command.args(["--issuer", ISSUER]);
        }
        command.arg("--listen").arg(format!("127.0.0.1:{}", self.port));
        self.database(&mut command);
        if let Some(url) = &self.settings.public_url {
            command.args(["--public-url", url]);
        }
        if let Some(text) = &self.settings.config {
            let file = self.folder.path().join("config.yaml");
            std::fs::write(&file, text).unwrap();
            command.arg("--config").arg(file);
        }
        let log = self.folder.path().join("server.log");
        self.running = Some(Running::listening(&mut command, self.port, log));
    }

    /// Limits the size of each file that the server writes from its next start on, in blocks of
    /// 1,024 bytes: a disk that is full.
    pub(crate) fn limit_files(&mut self, blocks: Option<u64>) {
        self.largest_file = blocks;
    }

    /// Lifts that limit from the running server: there is room again.
    pub(crate) fn lift_limit(&mut self) {
        self.largest_file = None;
        let id = self.process().id().to_string();
        run(Command::new("prlimit").args(["--pid", &id, "--fsize=unlimited"]));
    }

    /// The process. It must have been started.
    pub(crate) fn process(&mut self) -> &mut Running {
        self.running.as_mut().expect("the server was not started")
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The same for a server that has a certificate.
    pub(crate) fn https_url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    pub(crate) fn service(&self) -> &str {
        self.settings.service.as_deref().unwrap_or("registry.test")
    }

    /// What the `iss` claim of its tokens says.
    pub(crate) fn issuer(&self) -> &str {
        if self.answers_as_acr() { "Azure Container Registry" } else { ISSUER }
    }

    fn answers_as_acr(&self) -> bool {
        self.settings.config.as_deref().is_some_and(|config| config.contains("compatibility: acr"))
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The bundle of certificates that CNCF distribution trusts the signing keys by.
    pub(crate) fn bundle(&self) -> PathBuf {
        self.data().join("signing-cert.pem")
    }

    /// Writes scope maps and tokens, from another process than the server; gives the passwords that
    /// were generated, in order.
    #[track_caller]
    pub(crate) fn apply(&self, seed: &str) -> Vec<String> {
        let file = self.folder.path().join("seed.yaml");
        std::fs::write(&file, seed).unwrap();
        let mut command = Command::new(program());
        command.arg("apply").arg("--data").arg(self.data());
        self.database(&mut command);
        let printed = run(command.arg(file));
        let each = printed.lines().map(|line| serde_json::from_str::<Generated>(line).unwrap());
        each.map(|generated| generated.value).collect()
    }

    /// The audit trail must be whole; gives how many rows it has.
    #[track_caller]
    pub(crate) fn check_trail(&self) -> u64 {
        let mut command = Command::new(program());
        command.args(["audit", "verify", "--data"]).arg(self.data());
        self.database(&mut command);
        let report: serde_json::Value = serde_json::from_str(&run(&mut command)).unwrap();
        assert_eq!(report["isWhole"], true, "{report}");
        report["rows"].as_u64().unwrap()
    }

    /// Makes the local administrator's secret, or a new one.
    #[track_caller]
    pub(crate) fn administrator(&self) -> Administrator {
        let mut command = Command::new(program());
        command.arg("administrator").arg("--data").arg(self.data());
        self.database(&mut command);
        serde_json::from_str(run(&mut command).trim()).unwrap()
    }

    /// Makes a client that reads what an edge needs, and nothing else: its id and its secret.
    #[track_caller]
    pub(crate) fn edge_reader(&self) -> EdgeReader {
        static CLIENTS: AtomicU32 = AtomicU32::new(1);
        let client = CLIENTS.fetch_add(1, Ordering::Relaxed);
        let seed = format!(
            "servicePrincipals: [{{clientId: 00000000-0000-4000-9000-{client:012}, roles: [EdgeReader]}}]\n"
        );
        let file = self.folder.path().join(format!("edge-reader-{client}.yaml"));
        std::fs::write(&file, seed).unwrap();
        let mut command = Command::new(program());
        command.arg("apply").arg("--data").arg(self.data());
        self.database(&mut command);
        serde_json::from_str(run(command.arg(file)).trim()).unwrap()
    }

    /// Says that the database was restored.
    #[track_caller]
    pub(crate) fn restore(&self) {
        let mut command = Command::new(program());
        command.args(["restore", "--data"]).arg(self.data());
        self.database(&mut command);
        run(&mut command);
    }

    /// Replaces every key at once, as after a leak.
    #[track_caller]
    pub(crate) fn replace_keys(&self) {
        let mut command = Command::new(program());
        command.args(["keys", "rotate", "--at-once", "--data"]).arg(self.data());
        self.database(&mut command);
        run(&mut command);
    }

    /// Revokes with the command: whom is what comes behind it.
    #[track_caller]
    pub(crate) fn revoke(&self, whom: &[&str]) {
        let mut command = Command::new(program());
        command.arg("revoke").args(whom).arg("--data").arg(self.data());
        self.database(&mut command);
        run(&mut command);
    }

    fn database(&self, command: &mut Command) {
        if let Some(url) = &self.settings.database_url {
            command.args(["--database-url", url]);
        }
    }
}

impl Administrator {
    /// Asks the management API with the administrator's secret, at the short address. Gives the
    /// status and the body.
    pub(crate) fn ask(
        &self,
        method: &str,
        server: &str,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> reqwest::Result<(u16, serde_json::Value)> {
        let client =
            reqwest::blocking::Client::builder().timeout(Duration::from_secs(10)).build()?;
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = client
            .request(method, format!("{server}/registries/registry{path}"))
            .basic_auth(&self.client_id, Some(&self.secret));
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send()?;
        let status = response.status().as_u16();
        let text = response.text()?;
        Ok((status, serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text))))
    }
}

/// The actions of an access token for these scopes, as scopes again; `None` when no token is
/// issued.
pub(crate) fn access(server: &str, user: &str, password: &str, scopes: &str) -> Option<String> {
    let response = reqwest::blocking::Client::new()
        .get(format!("{server}/oauth2/token"))
        .query(&[("scope", scopes)])
        .basic_auth(user, Some(password))
        .send()
        .ok()?;
    let body: serde_json::Value = serde_json::from_str(&response.text().ok()?).ok()?;
    Some(scopes_of(body["access_token"].as_str()?))
}

/// The access entries of a token, as scopes. The signature is others' business.
fn scopes_of(token: &str) -> String {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).unwrap();
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    let entries: Vec<scopegate_api::access::AccessEntry> =
        serde_json::from_value(claims["access"].clone()).unwrap();
    entries.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// A refresh token, as a client gets it that asks for offline access with a name and a password.
#[track_caller]
pub(crate) fn refresh_token(server: &Server, user: &str, password: &str) -> String {
    let form = [
        ("grant_type", "password"),
        ("service", server.service()),
        ("username", user),
        ("password", password),
        ("access_type", "offline"),
    ];
    let url = format!("{}/oauth2/token", server.url());
    let response = reqwest::blocking::Client::new().post(url).form(&form).send().unwrap();
    let text = response.text().unwrap();
    let body: serde_json::Value = serde_json::from_str(&text).unwrap();
    body["refresh_token"].as_str().unwrap_or_else(|| panic!("{text}")).to_owned()
}

/// A seed with one scope map and one token, `MyToken`, that has it. Rules are repositories or
/// patterns, each with permissions.
pub(crate) fn seed(rules: &[(&str, &[&str])]) -> String {
    let actions = rules.iter().flat_map(|(repository, permissions)| {
        permissions
            .iter()
            .map(move |action| format!("      - repositories/{repository}/{action}\n"))
    });
    let actions: String = actions.collect();
    format!(
        "scopeMaps:\n  - name: MyScopeMap\n    actions:\n{actions}tokens:\n  - {{name: MyToken, scopeMap: MyScopeMap}}\n"
    )
}

/// The server under a limit on the size of each file that it writes. The signal that comes with the
/// limit is ignored, so that the server meets an error, as on a full disk.
fn limited(blocks: u64) -> Command {
    let mut command = Command::new("bash");
    command.arg("-c").arg(format!("trap '' XFSZ; ulimit -S -f {blocks}; exec \"$0\" \"$@\""));
    command.arg(program());
    command
}

/// The server, which cargo builds into the same folder as this test.
pub(crate) fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("scopegate-server");
    assert!(program.is_file(), "no {}: run `cargo build -p scopegate-server`", program.display());
    program
}

/// Whether a program can be started at all.
pub(crate) fn is_installed(program: &str) -> bool {
    attempt(Command::new("which").arg(program)).is_ok()
}

/// The folder of this test's scripts.
pub(crate) fn scripts() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/clients"))
}
