//! Runs a token server for trying out, with example scope maps and tokens, a real registry when one
//! is installed, and the gateway, which is the one address of both.
//!
//! That address has TLS under the name `localhost`, with a certificate from an authority of this
//! run, because `az` requires TLS. The registry's `service` is its own address, by which `az` finds
//! it. What is behind it is plain HTTP on loopback. Everything is in one folder, `target/run`.
//!
//! Without the gateway clients reach the registry itself, which then verifies tokens, and the token
//! server, each at an address of its own with that certificate.

mod authority;
mod guide;
mod people;

use std::fs::{File, Permissions};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{sleep, timeout};
use xshell::{Shell, cmd};

use self::guide::Guide;
use self::people::People;
use crate::{engine, paths, setup, web};

/// The timeout of a process's start and end.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What clients reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topology {
    /// The gateway, which is the address of the token server and of the registry.
    Gateway,
    /// The same, with a provider at which people sign in.
    People,
    /// The token server, and the registry where one is installed.
    Direct,
}

/// Runs everything until a signal. The folder is in the project's, or absolute.
pub(crate) fn run(shell: &Shell, topology: Topology, folder: &str) -> anyhow::Result<()> {
    engine::build(shell)?;
    if let Err(error) = setup::programs(shell) {
        println!("setup: {error:#}; going on without");
    }
    let has_page = build_server(shell)?;
    if topology != Topology::Direct {
        setup::gateway(shell).context("the gateway cannot be built; `--direct` goes without it")?;
        let programs = ["--package", "scopegate-gateway", "--package", "scopegate-cli"];
        cmd!(shell, "cargo build --locked").args(programs).run()?;
    }
    let stack = Stack::new(shell, topology, &paths::root().join(folder), has_page)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(stack.run(shell))
}

/// Builds the server; returns whether with the playground, which needs node.
fn build_server(shell: &Shell) -> anyhow::Result<bool> {
    if let Err(error) = setup::node(shell) {
        println!("setup: {error:#}; going on without the playground");
        let features = "--no-default-features";
        cmd!(shell, "cargo build --locked --package scopegate-server {features}").run()?;
        return Ok(false);
    }
    web::build(shell)?;
    cmd!(shell, "cargo build --locked --package scopegate-server").run()?;
    Ok(true)
}

/// The processes of a run: folders and ports.
struct Stack {
    /// The folder of the built programs.
    built: PathBuf,
    folder: PathBuf,
    topology: Topology,
    server: u16,
    /// The port that clients of the registry use, and of everything with the gateway.
    registry: u16,
    /// The port of the registry behind the gateway.
    upstream: u16,
    people: Option<People>,
    has_page: bool,
}

impl Stack {
    /// An empty folder: each run has an authority, keys and passwords of its own.
    fn new(
        shell: &Shell,
        topology: Topology,
        folder: &Path,
        has_page: bool,
    ) -> anyhow::Result<Self> {
        let folder = folder.to_owned();
        shell.remove_path(&folder)?;
        shell.create_dir(&folder)?;
        // It holds keys and passwords.
        std::fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
        let target =
            std::env::var("CARGO_TARGET_DIR").map_or(paths::root().join("target"), PathBuf::from);
        let stack = Self {
            built: target.join("debug"),
            folder,
            topology,
            server: free_port(5001)?,
            registry: free_port(5000)?,
            upstream: free_port(5002)?,
            people: (topology == Topology::People).then(|| People::new(shell)).transpose()?,
            has_page,
        };
        authority::make(shell, &stack.folder)?;
        let people = stack.people.as_ref();
        let people = people.map(|people| people.configuration(shell, &stack.folder)).transpose()?;
        let configuration = stack.configuration() + &people.unwrap_or_default();
        shell.write_file(stack.config(), configuration)?;
        Ok(stack)
    }

    /// Runs until a signal, or until a process ends.
    async fn run(&self, shell: &Shell) -> anyhow::Result<()> {
        let mut interrupted = signal(SignalKind::interrupt())?;
        let mut terminated = signal(SignalKind::terminate())?;
        let generated = self.command(shell, &["apply", "examples/seed.yaml"])?;
        let administrator = self.command(shell, &["administrator"])?;
        let administrator = administrator.first().context("administrator printed nothing")?;
        let password = generated.first().context("apply printed nothing")?;
        let edge = generated.iter().find(|line| line["clientId"].is_string());
        let edge = edge.context("the seed has no service principal for the gateway")?;
        let mut people = match &self.people {
            Some(people) => Some(people.start(shell, self.public()).await?),
            None => None,
        };
        let mut server = self.start_server().await?;
        let mut registry = self.start_registry(shell).await?;
        let mut gateway = self.start_gateway(shell, edge).await?;
        let image = registry.is_some() && self.make_image(shell)?;
        let guide = Guide {
            built: short(&self.built),
            upstreams: gateway.is_some().then_some([self.server, self.upstream]),
            folder: short(&self.folder),
            server: self.public(),
            registry: self.registry,
            password: text(password, "value")?,
            secret: text(administrator, "secret")?,
            tenant: text(administrator, "tenant")?,
            edge: [text(edge, "clientId")?, text(edge, "secret")?],
            has_registry: registry.is_some(),
            has_image: image,
            has_people: people.is_some(),
            has_page: self.has_page,
        };
        shell.write_file(self.folder.join("env"), guide.environment(&self.folder))?;
        shell.write_file(self.folder.join("guide.txt"), guide.to_string())?;
        println!("\n{guide}");
        tokio::select! {
            ended = server.wait() => bail!("the token server ended with {}", ended?),
            ended = ended(registry.as_mut()) => {
                let log = short(&self.folder).join("registry.log");
                bail!("the registry ended with {}; its log is {}", ended?, log.display())
            }
            ended = ended(gateway.as_mut()) => bail!("the gateway ended with {}", ended?),
            ended = ended(people.as_mut()) => bail!("the identity provider ended with {}", ended?),
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
        println!("\nstopping");
        for child in gateway
            .iter_mut()
            .chain(registry.iter_mut())
            .chain([&mut server])
            .chain(people.iter_mut())
        {
            stop(child).await?;
        }
        Ok(())
    }

    fn config(&self) -> PathBuf {
        self.folder.join("scopegate.yaml")
    }

    /// The port of the address that clients know the token server by.
    const fn public(&self) -> u16 {
        match self.topology {
            Topology::Gateway | Topology::People => self.registry,
            Topology::Direct => self.server,
        }
    }

    fn configuration(&self) -> String {
        let Self { folder, server, registry, .. } = self;
        let path = |name| folder.join(name);
        let more = match self.topology {
            // All clients' connections are the gateway's.
            Topology::Gateway | Topology::People => {
                "limits: {exemptPeers: [127.0.0.1]}\ncompatibility: acr\n".to_owned()
            }
            Topology::Direct => {
                let (certificate, key) = (path("tls.crt"), path("tls.key"));
                format!("tls: {{certificate: {certificate:?}, key: {key:?}}}\n")
            }
        };
        format!(
            "# Every other value and its default is in examples/scopegate.yaml.\n\
             data: {data:?}\n\
             listen: 127.0.0.1:{server}\n\
             publicUrl: https://localhost:{public}\n\
             registry: {{service: \"localhost:{registry}\"}}\n\
             {more}",
            data = path("scopegate-data"),
            public = self.public(),
        )
    }

    /// Runs a command of the server; returns its output lines.
    fn command(&self, shell: &Shell, arguments: &[&str]) -> anyhow::Result<Vec<Value>> {
        let (program, config) = (self.server_program(), self.config());
        let (name, rest) = arguments.split_first().context("no command")?;
        let output = cmd!(shell, "{program} {name} --config {config} {rest...}").quiet().read()?;
        output.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    fn server_program(&self) -> PathBuf {
        self.built.join("scopegate-server")
    }

    async fn start_server(&self) -> anyhow::Result<Child> {
        let mut command = Command::new(self.server_program());
        command.args(["serve", "--config"]).arg(self.config());
        start(&mut command, self.server).await
    }

    /// Starts CNCF distribution where it is installed.
    async fn start_registry(&self, shell: &Shell) -> anyhow::Result<Option<Child>> {
        if !setup::has(shell, "docker-registry") {
            return Ok(None);
        }
        let (config, port) = match self.topology {
            Topology::Direct => (self.registry_configuration(shell)?, self.registry),
            Topology::Gateway | Topology::People => {
                (self.open_registry_configuration(), self.upstream)
            }
        };
        shell.write_file(self.folder.join("registry.yml"), config)?;
        let log = File::create(self.folder.join("registry.log"))?;
        let mut command = Command::new("docker-registry");
        command.args(["serve", "registry.yml"]).current_dir(&self.folder);
        command.stdout(log.try_clone()?).stderr(log);
        start(&mut command, port).await.map(Some)
    }

    fn registry_configuration(&self, shell: &Shell) -> anyhow::Result<String> {
        Ok(shell
            .read_file("examples/registry.yml")?
            .replace(":5000\n", &format!(":{}\n", self.registry))
            .replace(":5001/", &format!(":{}/", self.server)))
    }

    /// A registry without authentication. Only the gateway and local users can reach it.
    fn open_registry_configuration(&self) -> String {
        format!(
            "version: 0.1\nlog: {{level: warn}}\n\
             storage: {{filesystem: {{rootdirectory: ./registry}}, delete: {{enabled: true}}}}\n\
             http: {{addr: \"127.0.0.1:{}\"}}\n",
            self.upstream
        )
    }

    /// Starts our gateway, in that topology. `edge` is its client, which may read revocations and
    /// say whose requests it passes.
    async fn start_gateway(&self, shell: &Shell, edge: &Value) -> anyhow::Result<Option<Child>> {
        if self.topology == Topology::Direct {
            return Ok(None);
        }
        let Self { folder, server, registry, upstream, .. } = self;
        let path = |name| folder.join(name);
        shell.write_file(path("edge-secret"), text(edge, "secret")?)?;
        let config = format!(
            "# Every other value and its default is in examples/gateway.yaml.\n\
             listen: 127.0.0.1:{registry}\n\
             tls: {{certificate: {certificate:?}, key: {key:?}}}\n\
             upstream: http://127.0.0.1:{upstream}\n\
             service: localhost:{registry}\n\
             realm: https://localhost:{registry}/oauth2/token\n\
             keys: http://127.0.0.1:{server}/.well-known/jwks.json\n\
             bundle: {{url: \"http://127.0.0.1:{server}/registries/registry/bundle\", user: {user}, secretFile: {secret:?}}}\n\
             tokenServer: {{url: \"http://127.0.0.1:{server}\"}}\n\
             index: {{data: {index:?}}}\n\
             helmIndex: {{repo: generated}}\n\
             untag: metadata-write\n\
             compatibility: acr\n",
            index = path("index"),
            certificate = path("tls.crt"),
            key = path("tls.key"),
            user = text(edge, "clientId")?,
            secret = path("edge-secret"),
        );
        shell.write_file(path("gateway.yaml"), config)?;
        let mut command = Command::new(self.built.join("scopegate-gateway"));
        command.arg("--config").arg(path("gateway.yaml"));
        start(&mut command, *registry).await.map(Some)
    }

    /// An image to push, made without a network: as an OCI layout, and as an archive that podman
    /// and docker load.
    fn make_image(&self, shell: &Shell) -> anyhow::Result<bool> {
        if !setup::has(shell, "umoci") || !setup::has(shell, "skopeo") {
            return Ok(false);
        }
        let (layout, archive) = (self.folder.join("image"), self.folder.join("image.tar"));
        let tagged = format!("{}:v1", layout.display());
        let named =
            format!("{}:localhost:{}/samples/hello-world:v1", archive.display(), self.registry);
        cmd!(shell, "umoci init --layout {layout}").quiet().run()?;
        cmd!(shell, "umoci new --image {tagged}").quiet().run()?;
        cmd!(shell, "umoci insert --rootless --image {tagged} README.md /README.md")
            .quiet()
            .ignore_stdout()
            .run()?;
        cmd!(shell, "skopeo copy --quiet oci:{tagged} docker-archive:{named}")
            .quiet()
            .ignore_stdout()
            .run()?;
        Ok(true)
    }
}

/// Starts a process that is killed on drop, and waits until it answers on its port.
async fn start(command: &mut Command, port: u16) -> anyhow::Result<Child> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    let mut child =
        command.kill_on_drop(true).spawn().with_context(|| format!("cannot start {name}"))?;
    let start = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        if let Some(ended) = child.try_wait()? {
            bail!("{name} ended with {ended}");
        }
        ensure!(start.elapsed() < TIMEOUT, "{name} does not answer on port {port}");
        sleep(Duration::from_millis(50)).await;
    }
    Ok(child)
}

/// Resolves when a process ends; never without a process.
async fn ended(child: Option<&mut Child>) -> std::io::Result<std::process::ExitStatus> {
    match child {
        Some(child) => child.wait().await,
        None => std::future::pending().await,
    }
}

/// Sends SIGTERM to a process. One that does not end is killed on drop.
async fn stop(child: &mut Child) -> anyhow::Result<()> {
    let Some(id) = child.id() else {
        return Ok(());
    };
    // It may have ended already.
    let _ =
        Command::new("kill").arg(id.to_string()).stderr(std::process::Stdio::null()).status().await;
    let _ = timeout(TIMEOUT, child.wait()).await;
    Ok(())
}

fn text<'a>(document: &'a Value, field: &str) -> anyhow::Result<&'a str> {
    document[field].as_str().with_context(|| format!("no {field} was printed"))
}

/// A path relative to the project's folder.
fn short(path: &Path) -> &Path {
    static ROOT: std::sync::LazyLock<PathBuf> = std::sync::LazyLock::new(paths::root);
    path.strip_prefix(ROOT.as_path()).unwrap_or(path)
}

/// The port, or a free one when it is in use.
fn free_port(wanted: u16) -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted))
        .or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    Ok(listener.local_addr()?.port())
}
