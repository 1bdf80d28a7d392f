//! A token server to try, with example scope maps and tokens, and a real registry beside it when one is installed.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use xshell::{Shell, cmd};

use crate::{engine, setup};

pub(crate) fn run(shell: &Shell) -> anyhow::Result<()> {
    engine::build(shell)?;
    if let Err(error) = setup::programs(shell) {
        println!("setup: {error:#}; going on without a registry to try");
    }
    cmd!(shell, "cargo build --locked --package scopegate-server").run()?;
    let house = House::new(shell)?;
    let password = house.apply(shell)?;
    let mut server = house.start_server()?;
    let mut registry = house.start_registry(shell)?;
    house.say(&password, registry.is_some());
    let ended = server.0.wait()?;
    drop(registry.take());
    ensure!(ended.success(), "the server ended with {ended}");
    Ok(())
}

/// Where everything is.
struct House {
    program: PathBuf,
    data: PathBuf,
    server: u16,
    registry: u16,
}

/// A process that ends with us.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl House {
    /// An empty data folder: each run begins anew, with passwords of its own.
    fn new(shell: &Shell) -> anyhow::Result<Self> {
        let data = engine::root().join("target/run");
        shell.remove_path(&data)?;
        shell.create_dir(&data)?;
        let target =
            std::env::var("CARGO_TARGET_DIR").map_or(engine::root().join("target"), PathBuf::from);
        Ok(Self {
            program: target.join("debug/scopegate-server"),
            data,
            server: free_port(5001)?,
            registry: free_port(5000)?,
        })
    }

    /// Writes the examples into the database; gives the password of the first token.
    fn apply(&self, shell: &Shell) -> anyhow::Result<String> {
        let (program, data) = (&self.program, &self.data);
        let lines =
            cmd!(shell, "{program} apply --data {data} examples/seed.yaml").quiet().read()?;
        let first = lines.lines().next().context("no password was generated")?;
        let (_, value) = first.split_once("\"value\":\"").context("no password was printed")?;
        Ok(value.trim_end_matches(['"', '}']).to_owned())
    }

    fn start_server(&self) -> anyhow::Result<Running> {
        let child = Command::new(&self.program)
            .arg("serve")
            .arg("--data")
            .arg(&self.data)
            .arg("--listen")
            .arg(format!("127.0.0.1:{}", self.server))
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        let server = Running(child);
        wait_for(self.server)?;
        Ok(server)
    }

    /// Starts CNCF distribution where it is installed.
    fn start_registry(&self, shell: &Shell) -> anyhow::Result<Option<Running>> {
        if !setup::has(shell, "docker-registry") {
            return Ok(None);
        }
        let config = shell
            .read_file("examples/registry.yml")?
            .replace("127.0.0.1:5000", &format!("127.0.0.1:{}", self.registry))
            .replace("127.0.0.1:5001", &format!("127.0.0.1:{}", self.server));
        shell.write_file(self.data.join("registry.yml"), config)?;
        let log = File::create(self.data.join("registry.log"))?;
        let child = Command::new("docker-registry")
            .args(["serve", "registry.yml"])
            .current_dir(&self.data)
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let registry = Running(child);
        wait_for(self.registry)?;
        if setup::has(shell, "umoci") {
            make_image(shell, &self.data.join("image"))?;
        }
        Ok(Some(registry))
    }

    fn say(&self, password: &str, has_registry: bool) {
        let Self { server, registry, .. } = self;
        println!("\ntoken server  http://127.0.0.1:{server}");
        println!("token         MyToken");
        println!("password      {password}\n");
        println!("what may it do?\n");
        println!(
            "  curl -su MyToken:{password} 'http://127.0.0.1:{server}/oauth2/token?scope=repository:samples/hello-world:pull,push'\n"
        );
        if has_registry {
            let image = self.data.join("image");
            let image = image.strip_prefix(engine::root()).unwrap_or(&image).display();
            println!(
                "a registry that trusts it is at 127.0.0.1:{registry}; the first push works, the second is refused:\n"
            );
            println!(
                "  skopeo login --tls-verify=false -u MyToken -p {password} 127.0.0.1:{registry}"
            );
            println!(
                "  skopeo copy --dest-tls-verify=false oci:{image}:v1 docker://127.0.0.1:{registry}/samples/hello-world:v1"
            );
            println!(
                "  skopeo copy --dest-tls-verify=false oci:{image}:v1 docker://127.0.0.1:{registry}/samples/nginx:v1\n"
            );
        }
        println!("change examples/seed.yaml and apply it, while all of this runs:\n");
        println!(
            "  {} apply --data {} examples/seed.yaml\n",
            short(&self.program).display(),
            short(&self.data).display()
        );
        println!("stop with ctrl-c\n");
    }
}

/// A path as one types it from the project's folder.
fn short(path: &Path) -> &Path {
    static ROOT: std::sync::LazyLock<PathBuf> = std::sync::LazyLock::new(engine::root);
    path.strip_prefix(ROOT.as_path()).unwrap_or(path)
}

/// The port, or any other when somebody has it.
fn free_port(wanted: u16) -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted))
        .or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    Ok(listener.local_addr()?.port())
}

fn wait_for(port: u16) -> anyhow::Result<()> {
    let start = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        if start.elapsed() > Duration::from_secs(30) {
            bail!("nothing answers on port {port}");
        }
        sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// An image to push, made without a network.
fn make_image(shell: &Shell, path: &Path) -> anyhow::Result<()> {
    let tagged = format!("{}:v1", path.display());
    cmd!(shell, "umoci init --layout {path}").quiet().run()?;
    cmd!(shell, "umoci new --image {tagged}").quiet().run()?;
    cmd!(shell, "umoci insert --rootless --image {tagged} README.md /README.md")
        .quiet()
        .ignore_stdout()
        .run()?;
    Ok(())
}
