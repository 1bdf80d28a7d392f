//! CNCF distribution, as Debian packages it: a real registry that trusts our server's signing keys.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::process::{Running, free_port};
use super::server::{ISSUER, Server};

/// A registry that forgets everything with its test.
pub(crate) struct Registry {
    port: u16,
    folder: TempDir,
    running: Running,
}

impl Registry {
    /// A registry that sends its clients to `server` for tokens.
    #[track_caller]
    pub(crate) fn behind(server: &Server) -> Self {
        let realm = format!("{}/oauth2/token", server.url());
        Self::start(&realm, server.service(), &server.bundle())
    }

    /// A registry with these values of its `auth.token` section.
    #[track_caller]
    fn start(realm: &str, service: &str, bundle: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let config = format!(
            "version: 0.1
log: {{level: info}}
storage:
  inmemory: {{}}
  delete: {{enabled: true}}
http: {{addr: 127.0.0.1:{port}}}
auth:
  token:
    realm: {realm}
    service: {service}
    issuer: {ISSUER}
    rootcertbundle: {}
",
            bundle.display()
        );
        let file = folder.path().join("registry.yml");
        std::fs::write(&file, config).unwrap();
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(file);
        let log = folder.path().join("registry.log");
        let running = Running::listening(&mut command, port, log);
        Self { port, folder, running }
    }

    /// The registry's name to its clients. An address, because some clients take `localhost` for HTTPS only.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A name of an image in this registry.
    pub(crate) fn image(&self, repository: &str) -> String {
        format!("{}/{repository}:v1", self.host())
    }

    /// Why it refused something.
    pub(crate) fn log(&self) -> String {
        self.running.log()
    }

    /// A folder that ends with the registry, for whoever needs one.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}
