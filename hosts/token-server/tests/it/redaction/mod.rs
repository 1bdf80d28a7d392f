//! No secret is in any log, however much is logged.
//!
//! The real program, at the level that logs most, goes through every way of asking for a token and
//! through management, with credentials that are right, wrong, or in the wrong field. What it
//! writes may hold none of them, however they are written; and no answer holds one that did not
//! make it.

mod exchange;
mod management;
mod password_users;
mod token_endpoint;

use scopegate_server::testing::free_address;
use std::cell::RefCell;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::Value;

const TIMEOUT: Duration = Duration::from_secs(30);
const SERVICE: &str = "service=registry.local";
const SCOPE: &str = "scope=repository:app:pull";

/// Of `secret-one`.
const SEED: &str = r"
scopeMaps: [{name: reader-map, actions: [repositories/app/content/read]}]
tokens:
  - name: Reader
    scopeMap: reader-map
    passwords: [{name: password1, sha256: ea77193cc4e6f18656f3130e296203880c4b9b3772afc855211b82fdd46e9185}]
  - {name: Generated, scopeMap: reader-map}
";

/// The program, its log, and what it has answered.
struct Server {
    process: Child,
    address: SocketAddr,
    folder: tempfile::TempDir,
    answers: RefCell<Vec<String>>,
}

impl Server {
    fn start(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = free_address();
        let seed = folder.path().join("seed.yaml");
        std::fs::write(&seed, SEED).unwrap();
        // A key that the test knows, since those that are made stand in the database alone.
        let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        std::fs::write(folder.path().join("data/signing-key.pem"), key).unwrap();
        let open = |name: &str| std::fs::File::create(folder.path().join(name)).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_scopegate-server"))
            .args(["serve", "--listen", &address.to_string(), "--data"])
            .arg(folder.path().join("data"))
            .arg("--seed")
            .arg(&seed)
            .args(flags)
            .env("RUST_LOG", "trace")
            .stdout(open("out"))
            .stderr(open("log"))
            .spawn()
            .unwrap();
        let mut server = Self { process, address, folder, answers: RefCell::default() };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            let is_running = server.process.try_wait().unwrap().is_none();
            let is_patient = is_running && start.elapsed() < TIMEOUT;
            assert!(is_patient, "nobody answers: {}", server.read("log"));
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// The body of an answer.
    fn ask(&self, head: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        let length = body.len();
        write!(
            stream,
            "{head}host: r\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let value = serde_json::from_str(body).unwrap_or(Value::Null);
        self.answers.borrow_mut().push(answer);
        value
    }

    fn get(&self, target: &str, authorization: &str) -> Value {
        self.ask(&format!("GET {target} HTTP/1.1\r\nauthorization: {authorization}\r\n"), "")
    }

    fn post(&self, form: &str) -> Value {
        self.post_to("/oauth2/token", form)
    }

    fn post_to(&self, target: &str, form: &str) -> Value {
        let kind = "content-type: application/x-www-form-urlencoded";
        self.ask(&format!("POST {target} HTTP/1.1\r\n{kind}\r\n"), form)
    }

    /// A request to management.
    fn manage(&self, method: &str, path: &str, authorization: &str, body: &str) -> Value {
        let kind = "content-type: application/json";
        self.ask(
            &format!(
                "{method} /registries/registry{path} HTTP/1.1\r\n{kind}\r\nauthorization: {authorization}\r\n"
            ),
            body,
        )
    }

    /// A command beside the server, its output and what it said was wrong.
    fn command(&self, command: &[&str], more: &[&str]) -> (String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_scopegate-server"))
            .args(command)
            .arg("--data")
            .arg(self.folder.path().join("data"))
            .args(more)
            .env("RUST_LOG", "trace")
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr))
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What has been used, made and printed on the way.
struct Walk<'a> {
    server: &'a Server,
    secrets: Vec<String>,
    /// The output of commands beside the server.
    printed: String,
}

impl<'a> Walk<'a> {
    fn new(server: &'a Server) -> Self {
        Self { server, secrets: Vec::new(), printed: String::new() }
    }

    fn knows(&mut self, secret: &str) {
        self.secrets.push(secret.to_owned());
    }

    /// What an answer holds that is secret: its tokens, its passwords, its secret.
    fn learns(&mut self, answer: &Value) -> Vec<String> {
        let passwords = answer["passwords"].as_array().cloned().unwrap_or_default();
        let values = passwords.iter().filter_map(|password| password["value"].as_str());
        let fields = ["secret", "access_token", "refresh_token"];
        let fields = fields.iter().filter_map(|name| answer[*name].as_str());
        let made: Vec<_> = values.chain(fields).map(str::to_owned).collect();
        self.secrets.extend(made.iter().cloned());
        made
    }
}

/// The ways in which a secret could be written.
fn spellings(secret: &str) -> Vec<String> {
    let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    // Within longer text the ends depend on the text around it.
    let within = |offset: usize| {
        let text = STANDARD_NO_PAD.encode(format!("{}{secret}", "x".repeat(offset)));
        text[4..text.len() - 2].to_owned()
    };
    let all = [secret.to_owned(), encoded, within(0), within(1), within(2)];
    all.into_iter().filter(|text| text.len() > 8).collect()
}

#[track_caller]
fn check(flags: &[&str]) {
    let server = Server::start(flags);
    let mut walk = Walk::new(&server);
    token_endpoint::walk(&mut walk);
    management::walk(&mut walk);
    let Walk { secrets, printed, .. } = walk;
    let log = server.read("log");
    assert!(log.contains("correlation_id") && log.contains("decision"), "too little in {log}");
    let answers = server.answers.borrow();
    for secret in &secrets {
        // A token's signature is what makes it one; its claims may be known.
        let piece = secret.rsplit('.').next().unwrap();
        assert!(piece.len() > 8, "{secret} proves nothing");
        for spelling in spellings(piece) {
            let line = log.lines().chain(printed.lines()).find(|line| line.contains(&spelling));
            assert_eq!(line, None, "{secret} is in the log");
            // What made it showed it: once, or, for a refresh token, whenever it was asked to give
            // back what it was given.
            let holding: Vec<_> =
                answers.iter().filter(|answer| answer.contains(&spelling)).collect();
            let is_made = holding.len() <= 1
                && holding.iter().all(|answer| answer.starts_with("HTTP/1.1 200"));
            assert!(is_made || secret.contains('.'), "{secret} is in {holding:?}");
            let refused = holding.iter().find(|answer| !answer.starts_with("HTTP/1.1 200"));
            assert_eq!(refused, None, "{secret}");
        }
    }
}

#[test]
fn no_secret_is_in_the_log() {
    check(&[]);
}

#[test]
fn no_secret_is_in_the_log_as_json() {
    check(&["--log-json"]);
}
