//! The command line, by the real program: what each command does, says, and ends with.

mod administrator;
mod apply;
mod audit;
mod backup;
mod configuration;
mod doctor;
mod keys;
mod password_users;
mod restore;
mod revoke;
mod secrets;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{basic, bearer};
use scopegate_server::testing::free_address;

const TIMEOUT: Duration = Duration::from_secs(30);

/// Of `secret-one`.
pub(super) const SEED: &str = "
scopeMaps: [{name: reader-map, actions: [repositories/app/content/read]}]
tokens:
  - name: Reader
    scopeMap: reader-map
    passwords: [{name: password1, sha256: ea77193cc4e6f18656f3130e296203880c4b9b3772afc855211b82fdd46e9185}]
";

/// A data folder, and what the program does with it.
pub(super) struct Data(TempDir);

impl Data {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(super) fn command(&self, command: &[&str]) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_scopegate-server"));
        program.args(command).arg("--data").arg(self.path("data"));
        program
    }

    pub(super) fn run(&self, command: &[&str], more: &[&str]) -> Output {
        self.command(command).args(more).stdin(Stdio::null()).output().unwrap()
    }

    /// What a command that succeeds prints.
    #[track_caller]
    pub(super) fn stdout(&self, command: &[&str], more: &[&str]) -> String {
        let output = self.run(command, more);
        let (out, error) = texts(&output);
        assert!(output.status.success(), "{command:?} {more:?}: {error}");
        out
    }

    /// What a command that fails says is wrong: the last line on standard error, behind the log.
    #[track_caller]
    pub(super) fn refused(&self, command: &[&str], more: &[&str]) -> String {
        let output = self.run(command, more);
        let (out, error) = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{command:?} {more:?}: {out}{error}");
        let last = error.lines().last().unwrap_or_default();
        last.strip_prefix("error: ").unwrap_or_else(|| panic!("{error}")).to_owned()
    }

    pub(super) fn serve(&self, flags: &[&str]) -> Server {
        let address = free_address();
        let seed = self.write("seed.yaml", SEED);
        let log = std::fs::File::create(self.path("log")).unwrap();
        let process = self
            .command(&["serve"])
            .args(["--listen", &address.to_string(), "--seed"])
            .arg(seed)
            .args(flags)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut server = Server { process, address };
        let start = Instant::now();
        // A connection alone proves nothing: on a port without a listener, a socket can connect to
        // itself.
        while server.ask("/healthz", "").is_none() {
            let is_running = server.process.try_wait().unwrap().is_none();
            let log = || std::fs::read_to_string(self.path("log")).unwrap();
            assert!(is_running && start.elapsed() < TIMEOUT, "nobody answers: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }
}

pub(super) fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

pub(super) struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    /// The status and the body of an answer.
    pub(super) fn get(&self, target: &str, authorization: &str) -> (u16, String) {
        self.ask(target, authorization).unwrap_or_else(|| panic!("no answer: {target}"))
    }

    /// The same, or nothing where there is no answer.
    pub(super) fn ask(&self, target: &str, authorization: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(TIMEOUT)).ok()?;
        let authorization = match authorization {
            "" => String::new(),
            value => format!("authorization: {value}\r\n"),
        };
        let request =
            format!("GET {target} HTTP/1.1\r\nhost: r\r\nconnection: close\r\n{authorization}\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }

    pub(super) fn token(&self) -> String {
        let (_, body) =
            self.get("/oauth2/token?scope=repository:app:pull", &basic("Reader", "secret-one"));
        let body: Value = serde_json::from_str(&body).unwrap();
        body["access_token"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
    }

    pub(super) fn is_valid(&self, token: &str) -> bool {
        self.get("/v2/", &bearer(token)).0 == 200
    }

    /// The ids of the published keys.
    pub(super) fn published(&self) -> Vec<String> {
        let keys: Value = serde_json::from_str(&self.get("/.well-known/jwks.json", "").1).unwrap();
        let kid = |key: &Value| key["kid"].as_str().unwrap().to_owned();
        keys["keys"].as_array().unwrap().iter().map(kid).collect()
    }

    /// Waits until a key is published; tells how long that took.
    #[track_caller]
    pub(super) fn await_key(&self, kid: &str) -> Duration {
        let start = Instant::now();
        while !self.published().iter().any(|known| known == kid) {
            assert!(start.elapsed() < TIMEOUT, "{kid} is not published");
            std::thread::sleep(Duration::from_millis(20));
        }
        start.elapsed()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(super) fn header(token: &str) -> Value {
    let part = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice(&part).unwrap()
}

pub(super) fn kid(token: &str) -> String {
    header(token)["kid"].as_str().unwrap().to_owned()
}
