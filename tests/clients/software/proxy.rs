//! Other people's proxies before a registry, with the configurations of `examples`, from which
//! these differ only in their ports and names.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process::{Running, free_port};
use super::server::{ISSUER, Server};
use crate::drivers::az::environment;

/// Which proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Nginx,
    Caddy,
    Envoy,
    /// Envoy with our filter in it.
    Filter,
    /// The same, and `jwt_authn` before it.
    JwtAuthn,
}

/// A proxy that ends with its test.
pub(crate) struct Proxy {
    port: u16,
    folder: TempDir,
    running: Running,
}

impl Proxy {
    /// Starts Envoy with our filter and a configuration in which something is changed, and gives
    /// what it says when it ends for that.
    #[track_caller]
    pub(crate) fn refused(server: &Server, from: &str, to: &str) -> String {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let ports = [port, server.port(), free_port()];
        let file = configuration(Kind::Filter, folder.path(), ports, server);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(&file, text.replace(from, to)).unwrap();
        let log = folder.path().join("proxy.log");
        let mut running = Running::start(&mut command(Kind::Filter, &file, folder.path()), log);
        assert!(!running.wait(), "Envoy ends, and says that all is well");
        running.log()
    }

    /// A proxy before `upstream` that asks the token server at a port about every request.
    #[track_caller]
    pub(crate) fn before(kind: Kind, upstream: u16, tokens: &Server) -> Self {
        Self::start(kind, upstream, tokens)
    }

    /// Envoy with our filter before `upstream`, with a client of its own that reads what was
    /// revoked.
    #[track_caller]
    pub(crate) fn filter(upstream: u16, tokens: &Server) -> Self {
        Self::start(Kind::Filter, upstream, tokens)
    }

    /// The same where something else than the token server is asked in its place.
    #[track_caller]
    pub(crate) fn filter_asking(asked: u16, upstream: u16, tokens: &Server) -> Self {
        Self::between(Kind::Filter, [asked, upstream], tokens)
    }

    /// Envoy with our filter in two listeners, the second one for another service, and the port of
    /// that.
    #[track_caller]
    pub(crate) fn filter_twice(upstream: u16, tokens: &Server, other_service: &str) -> (Self, u16) {
        let (folder, port, other_port) = (tempfile::tempdir().unwrap(), free_port(), free_port());
        let ports = [port, tokens.port(), upstream];
        let file = configuration(Kind::Filter, folder.path(), ports, tokens);
        let text = std::fs::read_to_string(&file).unwrap();
        let (_, listeners) = text.split_once("  listeners:\n").unwrap();
        let (listener, _) = listeners.split_once("  clusters:\n").unwrap();
        let other = listener
            .replacen("- name: registry", "- name: other", 1)
            .replace(&format!("port_value: {port}"), &format!("port_value: {other_port}"))
            .replace(tokens.service(), other_service);
        assert_ne!(listener, other);
        std::fs::write(&file, text.replace(listener, &format!("{listener}{other}"))).unwrap();
        let mut command = command(Kind::Filter, &file, folder.path());
        let running = Running::listening(&mut command, other_port, folder.path().join("proxy.log"));
        (Self { port, folder, running }, other_port)
    }

    /// Envoy with our filter, and `jwt_authn` before it.
    #[track_caller]
    pub(crate) fn jwt_authn(upstream: u16, tokens: &Server) -> Self {
        Self::start(Kind::JwtAuthn, upstream, tokens)
    }

    #[track_caller]
    fn start(kind: Kind, upstream: u16, tokens: &Server) -> Self {
        Self::between(kind, [tokens.port(), upstream], tokens)
    }

    /// `asked` is the port of the token server, or of what stands for it.
    #[track_caller]
    fn between(kind: Kind, [asked, upstream]: [u16; 2], tokens: &Server) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let ports = [port, asked, upstream];
        let file = configuration(kind, folder.path(), ports, tokens);
        let mut command = command(kind, &file, folder.path());
        let running = Running::listening(&mut command, port, folder.path().join("proxy.log"));
        Self { port, folder, running }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The proxy's name to clients of a registry.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A folder that ends with it.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it has said so far.
    pub(crate) fn log(&self) -> String {
        self.running.log()
    }
}

/// Writes the example's configuration with these ports: of the proxy, of the token server, and of
/// the upstream.
fn configuration(kind: Kind, folder: &Path, ports: [u16; 3], server: &Server) -> PathBuf {
    let name = match kind {
        Kind::Nginx => "authz/nginx.conf",
        Kind::Caddy => "authz/Caddyfile",
        Kind::Envoy => "authz/envoy.yaml",
        Kind::Filter => "envoy-filter.yaml",
        Kind::JwtAuthn => "envoy-jwt-authn.yaml",
    };
    let text = std::fs::read_to_string(examples().join(name)).unwrap();
    // In two steps: a port may look like another's in the example.
    let marked = [("5000", "<a>"), ("5001", "<b>"), ("5002", "<c>")]
        .iter()
        .fold(text, |text, (example, mark)| text.replace(example, mark));
    let text = ["<a>", "<b>", "<c>"]
        .iter()
        .zip(ports)
        .fold(marked, |text, (mark, port)| text.replace(mark, &port.to_string()));
    let text = match kind {
        Kind::Filter | Kind::JwtAuthn => filtering(&text, server),
        Kind::Nginx | Kind::Caddy | Kind::Envoy => text,
    };
    let file = folder.join(name.split('/').next_back().unwrap());
    std::fs::write(&file, text).unwrap();
    file
}

/// The example with the names of this server, and with its revocations.
fn filtering(example: &str, server: &Server) -> String {
    let authorization = server.edge_reader().authorization();
    // In one line: it is in a block of YAML.
    let revocations = [
        format!(r#""issuer": "{ISSUER}""#),
        format!(
            r#""revocations": {{"cluster": "scopegate", "host": "127.0.0.1:{}""#,
            server.port()
        ),
        r#""path": "/registries/registry/generations""#.to_owned(),
        format!(r#""authorization": "{authorization}"}}"#),
    ]
    .join(", ");
    let (old, service) = ("registry.local", server.service());
    assert!(example.contains(r#""issuer": "scopegate""#) && example.contains(old));
    example
        .replace(r#""issuer": "scopegate""#, &revocations)
        .replace("issuer: scopegate", &format!("issuer: {ISSUER}"))
        .replace(old, service)
        .replace("target/envoy-filter/scopegate.wasm", &filter().display().to_string())
}

/// The module of our filter.
pub(crate) fn filter() -> PathBuf {
    let module =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/envoy-filter/scopegate.wasm");
    assert!(module.is_file(), "no {}: run `cargo xtask envoy`", module.display());
    module
}

fn command(kind: Kind, file: &Path, folder: &Path) -> Command {
    let mut command = match kind {
        Kind::Nginx => Command::new("/usr/sbin/nginx"),
        Kind::Caddy => Command::new("caddy"),
        Kind::Envoy | Kind::Filter | Kind::JwtAuthn => {
            Command::new(environment().join("bin/envoy"))
        }
    };
    match kind {
        // One process: workers outlive a master that is killed.
        Kind::Nginx => command
            .args(["-g", "master_process off;", "-e", "stderr", "-p"])
            .arg(folder)
            .arg("-c")
            .arg(file),
        Kind::Caddy => command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file),
        // Each has a number of its own, or two could not run side by side.
        Kind::Envoy | Kind::Filter | Kind::JwtAuthn => {
            command.args(["--disable-hot-restart", "--concurrency", "2", "--config-path"]).arg(file)
        }
    };
    // Whatever it would keep, it keeps there.
    command.env("HOME", folder).env("XDG_CONFIG_HOME", folder).env("XDG_DATA_HOME", folder);
    command
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}
