//! CNCF distribution, as Debian packages it (2.8.2), and as Go's client builds it (3.1.2): real
//! registries, which trust our server's signing keys or everybody.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::authority::Authority;
use super::process::{Running, free_port};
use super::server::{Server, is_installed};

/// A registry that forgets everything with its test.
pub(crate) struct Registry {
    host: String,
    port: u16,
    folder: TempDir,
    running: Running,
}

/// Where a registry keeps what it is given.
enum Storage {
    Memory,
    /// The same, and nothing is deleted.
    WithoutDeletion,
    Disk,
}

/// Where a registry listens, and with which certificate and key.
struct Address {
    host: &'static str,
    port: u16,
    tls: Option<(String, String)>,
}

impl Registry {
    /// A registry that sends its clients to `server` for tokens.
    #[track_caller]
    pub(crate) fn behind(server: &Server) -> Self {
        let address = Address { host: "127.0.0.1", port: free_port(), tls: None };
        Self::start(&address, &server.url(), server)
    }

    /// The same over HTTPS, with the token server at `url`.
    #[track_caller]
    pub(crate) fn with_tls(authority: &Authority, url: &str, server: &Server) -> Self {
        Self::with_tls_on(free_port(), authority, url, server)
    }

    /// The same on a port that is known already.
    #[track_caller]
    pub(crate) fn with_tls_on(
        port: u16,
        authority: &Authority,
        url: &str,
        server: &Server,
    ) -> Self {
        let address = Address { host: "localhost", port, tls: Some(authority.issue()) };
        Self::start(&address, url, server)
    }

    /// A registry without authentication: a proxy is in front of it.
    #[track_caller]
    pub(crate) fn open() -> Self {
        let address = Address { host: "127.0.0.1", port: free_port(), tls: None };
        Self::run(&address, Storage::Memory, "")
    }

    /// The same of version 3; nothing where there is no Go to build it with.
    #[track_caller]
    pub(crate) fn open_of_version_3() -> Option<Self> {
        Self::of_version_3(Storage::Memory)
    }

    /// The same on a disk.
    #[track_caller]
    pub(crate) fn open_on_disk_of_version_3() -> Option<Self> {
        Self::of_version_3(Storage::Disk)
    }

    #[track_caller]
    fn of_version_3(storage: Storage) -> Option<Self> {
        let address = Address { host: "127.0.0.1", port: free_port(), tls: None };
        Some(Self::run_program(version_3()?, &address, storage, ""))
    }

    /// Both of them, where there are both, which send notifications of what happens to `url`.
    pub(crate) fn notifying(url: &str) -> impl Iterator<Item = Self> {
        let endpoint =
            format!("{{name: gateway, url: {url}, timeout: 5s, threshold: 5, backoff: 5s}}");
        let more = format!("notifications: {{endpoints: [{endpoint}]}}\n");
        let programs = [Some(Command::new("docker-registry")), version_3()];
        programs.into_iter().flatten().map(move |program| {
            let address = Address { host: "127.0.0.1", port: free_port(), tls: None };
            Self::run_program(program, &address, Storage::Memory, &more)
        })
    }

    /// The same where nothing is deleted, which is what a registry does that is not told otherwise.
    #[track_caller]
    pub(crate) fn open_without_deletion() -> Self {
        let address = Address { host: "127.0.0.1", port: free_port(), tls: None };
        Self::run(&address, Storage::WithoutDeletion, "")
    }

    /// The same for what is large: its storage in memory copies a blob at each piece of it.
    #[track_caller]
    pub(crate) fn open_on_disk() -> Self {
        let address = Address { host: "127.0.0.1", port: free_port(), tls: None };
        Self::run(&address, Storage::Disk, "")
    }

    #[track_caller]
    fn start(address: &Address, url: &str, server: &Server) -> Self {
        let (service, issuer, bundle) = (server.service(), server.issuer(), server.bundle());
        let bundle = bundle.display();
        let auth = format!(
            "auth:
  token:
    realm: {url}/oauth2/token
    service: {service}
    issuer: {issuer}
    rootcertbundle: {bundle}
"
        );
        Self::run(address, Storage::Memory, &auth)
    }

    #[track_caller]
    fn run(address: &Address, storage: Storage, auth: &str) -> Self {
        Self::run_program(Command::new("docker-registry"), address, storage, auth)
    }

    #[track_caller]
    fn run_program(mut command: Command, address: &Address, storage: Storage, auth: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let deletes = !matches!(storage, Storage::WithoutDeletion);
        let storage = match storage {
            Storage::Memory | Storage::WithoutDeletion => "inmemory: {}".to_owned(),
            Storage::Disk => format!("filesystem: {{rootdirectory: {}}}", folder.path().display()),
        };
        let port = address.port;
        let tls = address.tls.as_ref().map(|(certificate, key)| {
            let files = [("tls.crt", certificate), ("tls.key", key)].map(|(name, pem)| {
                std::fs::write(folder.path().join(name), pem).unwrap();
                folder.path().join(name).display().to_string()
            });
            format!(", tls: {{certificate: {}, key: {}}}", files[0], files[1])
        });
        let config = format!(
            "version: 0.1
log: {{level: info}}
storage:
  {storage}
  delete: {{enabled: {deletes}}}
http: {{addr: 127.0.0.1:{port}{tls}}}
{auth}",
            tls = tls.unwrap_or_default(),
        );
        let file = folder.path().join("registry.yml");
        std::fs::write(&file, config).unwrap();
        command.arg("serve").arg(file);
        let log = folder.path().join("registry.log");
        let running = Running::listening(&mut command, port, log);
        Self { host: format!("{}:{port}", address.host), port, folder, running }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The registry's name to its clients.
    pub(crate) fn host(&self) -> String {
        self.host.clone()
    }

    /// A name of an image in this registry.
    pub(crate) fn image(&self, repository: &str) -> String {
        format!("{}/{repository}:v1", self.host())
    }

    /// Why it refused something.
    pub(crate) fn log(&self) -> String {
        self.running.log()
    }

    /// A folder that is removed with the registry, for tests that need one.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Both registries without authentication, where there are both.
pub(crate) fn registries() -> impl Iterator<Item = Registry> {
    [Some(Registry::open()), Registry::open_of_version_3()].into_iter().flatten()
}

/// Version 3, where there is Go to build it with.
#[track_caller]
fn version_3() -> Option<Command> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/clients/go/registry");
    if !is_installed("go") {
        return None;
    }
    assert!(program.is_file(), "no {}: run `cargo xtask setup`", program.display());
    Some(Command::new(program))
}
