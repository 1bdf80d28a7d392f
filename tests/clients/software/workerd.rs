//! workerd, the runtime of Cloudflare's Workers, with our Worker in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process::{Running, free_port};
use super::server::{Administrator, ISSUER, Server};

/// A Worker that ends with its test.
pub(crate) struct Workerd {
    /// Who reads the revocations. Its secret is the only one there is.
    pub(crate) administrator: Administrator,
    port: u16,
    folder: TempDir,
    _running: Running,
}

impl Workerd {
    /// Our Worker before `upstream`, knowing the keys and the revocations of `server`.
    #[track_caller]
    pub(crate) fn before(upstream: u16, server: &Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, url) = (free_port(), server.url());
        let (administrator, edge) = (server.administrator(), server.edge_reader());
        let config = format!(
            r#"using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "edge", worker = .edge),
    (name = "registry", external = (address = "127.0.0.1:{upstream}", http = ())),
    (name = "tokens", external = (address = "127.0.0.1:{tokens}", http = ())),
  ],
  sockets = [(name = "http", address = "127.0.0.1:{port}", http = (), service = "edge")],
);
const edge :Workerd.Worker = (
  modules = [
    (name = "worker.js", esModule = embed "worker.js"),
    (name = "./scopegate.wasm", wasm = embed "scopegate.wasm"),
  ],
  bindings = [
    (name = "ISSUER", text = "{ISSUER}"),
    (name = "SERVICE", text = "{service}"),
    (name = "REALM", text = "{url}/oauth2/token"),
    (name = "JWKS_URL", text = "http://tokens/.well-known/jwks.json"),
    (name = "GENERATIONS_URL", text = "http://tokens/registries/registry/generations"),
    (name = "GENERATIONS_AUTHORIZATION", text = "{authorization}"),
    (name = "ORIGIN", text = "http://127.0.0.1:{upstream}"),
    (name = "REGISTRY", service = "registry"),
    (name = "TOKENS", service = "tokens"),
  ],
  compatibilityDate = "2026-01-01",
);
"#,
            tokens = server.port(),
            service = server.service(),
            authorization = edge.authorization(),
        );
        let file = folder.path().join("config.capnp");
        std::fs::write(&file, config).unwrap();
        for built in ["worker.js", "scopegate.wasm"] {
            let from = root().join("target/worker").join(built);
            std::fs::copy(&from, folder.path().join(built)).unwrap_or_else(|error| {
                panic!("{}: {error}; run `cargo xtask worker`", from.display())
            });
        }
        let mut command = Command::new(program());
        command.arg("serve").arg(file);
        let log = folder.path().join("workerd.log");
        let _running = Running::listening(&mut command, port, log);
        Self { administrator, port, folder, _running }
    }

    /// Whether workerd takes the example: it says what is wrong with a configuration, and ends,
    /// before it listens.
    #[track_caller]
    pub(crate) fn takes_the_example() {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let example = std::fs::read_to_string(root().join("hosts/worker/config.capnp")).unwrap();
        assert!(example.contains("127.0.0.1:5002"));
        // It finds what it embeds from where it lies.
        let [place, built] = ["hosts/worker", "target/worker"].map(|at| folder.path().join(at));
        std::fs::create_dir_all(&place).unwrap();
        std::fs::create_dir_all(&built).unwrap();
        for name in ["worker.js", "scopegate.wasm"] {
            std::fs::copy(root().join("target/worker").join(name), built.join(name)).unwrap();
        }
        let file = place.join("config.capnp");
        std::fs::write(&file, example.replace("127.0.0.1:5002", &format!("127.0.0.1:{port}")))
            .unwrap();
        let mut command = Command::new(program());
        Running::listening(command.arg("serve").arg(file), port, folder.path().join("log"));
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The Worker's name to clients of a registry.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A folder that is removed with the Worker, for tests that need one.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// What npm installs for the Worker. Its own start script would look for another.
fn program() -> PathBuf {
    root().join("hosts/worker/node_modules/@cloudflare/workerd-linux-64/bin/workerd")
}
