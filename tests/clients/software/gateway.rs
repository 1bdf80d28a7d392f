//! Our gateway, as its users run it, before an upstream on loopback.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::authority::Authority;
use super::process::{Running, eventually, free_port};
use super::server::{Administrator, Server};

/// A gateway that ends with its test.
pub(crate) struct Gateway {
    /// Who manages the registry; the gateway itself reads with a client of its own.
    pub(crate) administrator: Administrator,
    port: u16,
    admin: u16,
    folder: TempDir,
    running: Running,
}

/// Where a gateway and its metrics are, where it sends clients for tokens, and which feed it reads.
struct At {
    port: u16,
    admin: u16,
    realm: String,
    feed: [&'static str; 2],
}

impl Gateway {
    /// A gateway before `upstream` that knows the keys and the revocations of `server`, with more
    /// lines of configuration.
    #[track_caller]
    pub(crate) fn before(upstream: u16, server: &Server, more: &str) -> Self {
        Self::hearing(["revocations", "generations"], upstream, server, more)
    }

    /// The same, to be told of what happens at `http://127.0.0.1:{admin}/events`.
    #[track_caller]
    pub(crate) fn told_at(admin: u16, upstream: u16, server: &Server, more: &str) -> Self {
        let realm = server.url() + "/oauth2/token";
        let port = free_port_but(admin);
        let at = At { port, admin, realm, feed: ["revocations", "generations"] };
        Self::start(at, upstream, server, more)
    }

    /// A gateway that holds the whole policy of `server`.
    #[track_caller]
    pub(crate) fn with_policy(upstream: u16, server: &Server, more: &str) -> Self {
        Self::hearing(["bundle", "bundle"], upstream, server, more)
    }

    /// The one address for a registry at `upstream` and for `server`, which has this address for
    /// its own: `https://localhost` and a port.
    #[track_caller]
    pub(crate) fn for_both(
        port: u16,
        upstream: u16,
        server: &Server,
        authority: &Authority,
        more: &str,
    ) -> Self {
        let feed = ["revocations", "generations"];
        Self::for_both_hearing(feed, port, upstream, server, authority, more)
    }

    /// The same, holding the whole policy.
    #[track_caller]
    pub(crate) fn for_both_with_policy(
        port: u16,
        upstream: u16,
        server: &Server,
        authority: &Authority,
        more: &str,
    ) -> Self {
        Self::for_both_hearing(["bundle", "bundle"], port, upstream, server, authority, more)
    }

    #[track_caller]
    fn for_both_hearing(
        feed: [&'static str; 2],
        port: u16,
        upstream: u16,
        server: &Server,
        authority: &Authority,
        more: &str,
    ) -> Self {
        let url = server.url();
        let more = format!("{}tokenServer: {{url: \"{url}\"}}\n{more}", authority.for_our_server());
        let realm = format!("https://localhost:{port}/oauth2/token");
        let admin = free_port_but(port);
        let at = At { port, admin, realm, feed };
        Self::start(at, upstream, server, &more)
    }

    /// `feed` is the field of the configuration, and the resource.
    #[track_caller]
    fn hearing(feed: [&'static str; 2], upstream: u16, server: &Server, more: &str) -> Self {
        let (port, realm) = (free_port(), server.url() + "/oauth2/token");
        let at = At { port, admin: free_port_but(port), realm, feed };
        Self::start(at, upstream, server, more)
    }

    #[track_caller]
    fn start(at: At, upstream: u16, server: &Server, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let At { port, admin, realm, feed: [field, resource] } = at;
        let url = server.url();
        let (administrator, edge) = (server.administrator(), server.edge_reader());
        let secret = folder.path().join("secret");
        std::fs::write(&secret, &edge.secret).unwrap();
        let config = format!(
            "listen: 127.0.0.1:{port}
admin: 127.0.0.1:{admin}
upstream: http://127.0.0.1:{upstream}
service: {service}
{issuer}
{realm}
keys: {url}/.well-known/jwks.json
{field}: {{url: \"{url}/registries/registry/{resource}\", user: {user}, secretFile: {secret}, serveFor: 5s}}
{more}",
            // Where clients reach the token server, if a proxy is in front of both.
            realm = if more.starts_with("realm:") {
                String::new()
            } else {
                format!("realm: {realm}")
            },
            service = server.service(),
            // With the same setting it knows the issuer itself.
            issuer = if more.contains("compatibility: acr") {
                String::new()
            } else {
                format!("issuer: {}", server.issuer())
            },
            user = edge.client_id,
            secret = secret.display(),
        );
        let file = folder.path().join("gateway.yaml");
        std::fs::write(&file, config).unwrap();
        let running = launch(folder.path(), port, admin);
        Self { administrator, port, admin, folder, running }
    }

    /// Ends it as a crash would, in the middle of what it does.
    pub(crate) fn crash(&self) {
        self.running.crash();
    }

    /// Starts it again when it is gone, at the same address and with the same configuration.
    #[track_caller]
    pub(crate) fn restart(&mut self) {
        self.running.wait();
        self.running = launch(self.folder.path(), self.port, self.admin);
    }

    /// Its configuration.
    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("gateway.yaml")
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Where its metrics are, and where a registry tells what happened.
    pub(crate) fn admin(&self) -> String {
        format!("http://127.0.0.1:{}", self.admin)
    }

    /// The gateway's name to clients of a registry.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A name of an image in the registry behind.
    pub(crate) fn image(&self, repository: &str) -> String {
        format!("{}/{repository}:v1", self.host())
    }

    /// What it has said so far.
    pub(crate) fn log(&self) -> String {
        self.running.log()
    }

    /// Asks it to end.
    pub(crate) fn ask_to_end(&self) {
        self.running.ask_to_end();
    }

    /// Waits until it has ended. Gives whether it says that all went well.
    pub(crate) fn wait(&mut self) -> bool {
        self.running.wait()
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(&mut self) {
        self.running.kill();
    }

    /// The most memory that it ever had, in kilobytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.memory("VmHWM:")
    }

    /// The memory that it has, in kilobytes.
    pub(crate) fn resident_memory(&self) -> u64 {
        self.memory("VmRSS:")
    }

    fn memory(&self, line: &str) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.running.id())).unwrap();
        let line = status.lines().find_map(|text| text.strip_prefix(line)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// A folder that is removed with the gateway, for tests that need one.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Starts a gateway on the configuration of a folder. It is ready then.
#[track_caller]
fn launch(folder: &Path, port: u16, admin: u16) -> Running {
    let mut command = Command::new(program());
    command.arg("--config").arg(folder.join("gateway.yaml"));
    // What the allocator of the C library keeps for later is not what the gateway holds.
    command.env("MALLOC_MMAP_THRESHOLD_", "1048576");
    let running = Running::listening(&mut command, port, folder.join("gateway.log"));
    // It lets no request through before it has the keys and the token server's feed.
    eventually(Duration::from_secs(10), || {
        let answer = reqwest::blocking::get(format!("http://127.0.0.1:{admin}/readyz"));
        let answer = answer.map_err(|error| error.to_string())?;
        let is_ready = answer.status().is_success();
        if is_ready { Ok(()) } else { Err(answer.text().unwrap_or_default() + &running.log()) }
    });
    running
}

/// Another free port: one that nothing listens on yet may be given twice.
fn free_port_but(other: u16) -> u16 {
    loop {
        let port = free_port();
        if port != other {
            return port;
        }
    }
}

/// The gateway, which cargo builds into the same folder as this test, for the tests of its own
/// package; or the one that `CLIENTS_GATEWAY` names, when it is to be measured.
pub(crate) fn program() -> PathBuf {
    if let Some(program) = std::env::var_os("CLIENTS_GATEWAY") {
        return program.into();
    }
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("scopegate-gateway");
    assert!(program.is_file(), "no {}: run `cargo build -p scopegate-gateway`", program.display());
    program
}
