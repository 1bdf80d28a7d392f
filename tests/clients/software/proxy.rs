//! Other people's proxies before a registry, with the configurations of `examples/authz`, which differ from those only in their ports.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process::{Running, free_port};
use crate::drivers::az::environment;

/// Which proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Nginx,
    Caddy,
    Envoy,
}

/// A proxy that ends with its test.
pub(crate) struct Proxy {
    port: u16,
    folder: TempDir,
    running: Running,
}

impl Proxy {
    /// A proxy before `upstream` that asks the token server at a port about every request.
    #[track_caller]
    pub(crate) fn before(kind: Kind, upstream: u16, tokens: u16) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let name = match kind {
            Kind::Nginx => "nginx.conf",
            Kind::Caddy => "Caddyfile",
            Kind::Envoy => "envoy.yaml",
        };
        let text = std::fs::read_to_string(examples().join(name)).unwrap();
        let text = [("5000", port), ("5001", tokens), ("5002", upstream)]
            .iter()
            .fold(text, |text, (example, port)| text.replace(example, &format!("<{port}>")));
        let text = text.replace(['<', '>'], "");
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
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

fn command(kind: Kind, file: &Path, folder: &Path) -> Command {
    let mut command = match kind {
        Kind::Nginx => Command::new("/usr/sbin/nginx"),
        Kind::Caddy => Command::new("caddy"),
        Kind::Envoy => Command::new(environment().join("bin/envoy")),
    };
    match kind {
        Kind::Nginx => command.arg("-p").arg(folder).args(["-e", "stderr", "-c"]).arg(file),
        Kind::Caddy => command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file),
        // Each has a number of its own, or two could not run side by side.
        Kind::Envoy => {
            command.args(["--disable-hot-restart", "--concurrency", "1", "-c"]).arg(file)
        }
    };
    // Whatever it would keep, it keeps there.
    command.env("HOME", folder).env("XDG_CONFIG_HOME", folder).env("XDG_DATA_HOME", folder);
    command
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/authz")
}
