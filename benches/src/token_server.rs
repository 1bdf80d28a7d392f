//! The server as in production, on a core of its own.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::load::SERVER_CORE;

/// The SHA-256 of `secret`.
const DIGEST: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

/// A running server; it ends with this value.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub port: u16,
    /// The time from its start to its first answer.
    pub ready_after: Duration,
    folder: TempDir,
    /// The flags of its database, for every command.
    database: Vec<String>,
}

impl Server {
    /// Starts a server with a seed.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[must_use]
    pub fn start(quiet: bool, seed: &str) -> Self {
        Self::with(quiet, seed, &[])
    }

    /// The same with more settings, each as `--set` takes it.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[must_use]
    pub fn with(quiet: bool, seed: &str, settings: &[&str]) -> Self {
        Self::start_on(&[], quiet, seed, settings)
    }

    /// The same on a shared database, with the seed.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[must_use]
    pub fn on_database(url: &str, quiet: bool, seed: &str) -> Self {
        Self::start_on(&["--database-url", url], quiet, seed, &[])
    }

    fn start_on(database: &[&str], quiet: bool, seed: &str, settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("seed.yaml"), seed).unwrap();
        let status = command(&folder)
            .args(["apply", "--data"])
            .arg(folder.path())
            .args(database)
            .arg(folder.path().join("seed.yaml"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
        // The first start compiles the engine and stores the machine code; a restart is measured.
        if !folder.path().join("measured").exists() {
            fs::write(folder.path().join("measured"), "").unwrap();
            drop(Self::spawn(&folder, database, quiet, settings));
        }
        let (child, port, ready_after) =
            Self::spawn(&folder, database, quiet, settings).into_parts();
        let database = database.iter().map(|flag| (*flag).to_owned()).collect();
        Self { child, port, ready_after, folder, database }
    }

    fn spawn(folder: &TempDir, database: &[&str], quiet: bool, settings: &[&str]) -> Spawned {
        let port = free_port();
        let log = File::create(folder.path().join("log")).unwrap();
        let begun = Instant::now();
        let child = command(folder)
            .args(["serve", "--data"])
            .arg(folder.path())
            .args(database)
            .args(["--listen", &format!("127.0.0.1:{port}"), "--service", "registry.example"])
            .args(["--set", "limits.perAddress.rate=0", "--set", "limits.perPrincipal.rate=0"])
            .args(["--set", if quiet { "log.decisions=false" } else { "log.decisions=true" }])
            .args(settings.iter().flat_map(|setting| ["--set", setting]))
            .stderr(log)
            .spawn()
            .unwrap();
        while !is_ready(port) {
            assert!(begun.elapsed() < Duration::from_secs(60), "it does not answer");
            sleep(Duration::from_millis(2));
        }
        Spawned(Some((child, port, begun.elapsed())))
    }

    /// Its memory, in megabytes.
    ///
    /// # Panics
    ///
    /// When it has ended.
    #[must_use]
    pub fn resident(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }

    /// The client id and the secret of its administrator.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[must_use]
    pub fn administrator(&self) -> (String, String) {
        let mut command = command(&self.folder);
        command.args(["administrator", "--data"]).arg(self.folder.path()).args(&self.database);
        let output = command.output();
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        let field = |name: &str| {
            let (_, rest) = text.split_once(&format!("\"{name}\":")).unwrap();
            rest.split('"').nth(1).unwrap().to_owned()
        };
        (field("clientId"), field("secret"))
    }

    /// Its data folder.
    #[must_use]
    pub fn folder(&self) -> &TempDir {
        &self.folder
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that is ended when dropped before use.
struct Spawned(Option<(Child, u16, Duration)>);

impl Spawned {
    fn into_parts(mut self) -> (Child, u16, Duration) {
        self.0.take().unwrap()
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        if let Some((child, ..)) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Four tokens that share a map of a hundred rules.
#[must_use]
pub fn seed() -> String {
    let rules = crate::rules(100);
    let mut seed = format!("scopeMaps: [{{name: bench-map, actions: {rules:?}}}]\ntokens:\n");
    for n in 0..4 {
        seed += &token(n, "bench-map");
    }
    seed
}

/// A number of tokens that share a number of maps of ten rules.
///
/// # Panics
///
/// Never: writing to a string cannot fail.
#[must_use]
pub fn tokens_and_maps(tokens: usize, maps: usize) -> String {
    let mut seed = String::from("scopeMaps:\n");
    for n in 0..maps {
        let rules = (0..10).map(|rule| format!("repositories/team{n}/svc-{rule}/content/read"));
        writeln!(seed, "  - {{name: map-{n:05}, actions: {:?}}}", rules.collect::<Vec<_>>())
            .unwrap();
    }
    seed += "tokens:\n";
    for n in 0..tokens {
        seed += &token(n, &format!("map-{:05}", n % maps));
    }
    seed
}

/// A token in a seed file, with the password `secret`.
#[must_use]
pub fn token(n: usize, map: &str) -> String {
    format!(
        "  - {{name: token-{n:05}, scopeMap: {map}, passwords: [{{name: password1, sha256: {DIGEST}}}]}}\n"
    )
}

/// The program, which `cargo xtask bench` has built, on the server's core.
fn command(folder: &TempDir) -> Command {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target")),
        PathBuf::from,
    );
    let mut command = Command::new("taskset");
    command.args(["-c", &SERVER_CORE.id.to_string()]).arg(target.join("release/scopegate-server"));
    command.current_dir(folder.path()).env("TOKIO_WORKER_THREADS", "1").env_remove("RUST_LOG");
    command
}

/// Whether the server is ready: its port accepts connections a little earlier.
fn is_ready(port: u16) -> bool {
    let request = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    ask(port, request).contains("\"ready\"")
}

/// The whole answer to a request that closes its connection; `None` without an answer within five
/// seconds.
#[must_use]
pub fn ask(port: u16, request: &str) -> String {
    let answer = || -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    };
    answer().map(|answer| String::from_utf8_lossy(&answer).into_owned()).unwrap_or_default()
}

/// A free port on loopback.
///
/// # Panics
///
/// When there is none.
#[must_use]
pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Base 64, as in Basic authentication.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, n| bits << 8 | u32::from(*chunk.get(n).unwrap_or(&0)));
        for digit in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * digit) & 63) as usize];
            text.push(if digit > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    text
}
