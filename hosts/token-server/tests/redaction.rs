//! No secret is in any log, however much is logged.
//!
//! The real program, at the level that logs most, goes through every way of asking for a token, with credentials that are right, wrong, or
//! in the wrong field. What it writes may hold none of them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use scopegate_server::store::Store;
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(30);

/// Of `secret-one`.
const SEED: &str = r"
scopeMaps: [{name: reader-map, actions: [repositories/app/content/read]}]
tokens:
  - name: Reader
    scopeMap: reader-map
    passwords: [{name: password1, sha256: ea77193cc4e6f18656f3130e296203880c4b9b3772afc855211b82fdd46e9185}]
  - {name: Generated, scopeMap: reader-map}
";

/// The program, and its log.
struct Server {
    process: Child,
    address: SocketAddr,
    folder: tempfile::TempDir,
}

impl Server {
    fn start(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let seed = folder.path().join("seed.yaml");
        std::fs::write(&seed, SEED).unwrap();
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
        let mut server = Self { process, address, folder };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            let is_running = server.process.try_wait().unwrap().is_none();
            let is_patient = is_running && start.elapsed() < PATIENCE;
            assert!(is_patient, "nobody answers: {}", server.read("log"));
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    fn read(&self, name: &str) -> String {
        read(&self.folder.path().join(name))
    }

    /// The body of an answer.
    fn ask(&self, head: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = body.len();
        write!(
            stream,
            "{head}host: r\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap_or(Value::Null)
    }

    fn get(&self, target: &str, authorization: &str) -> Value {
        self.ask(&format!("GET {target} HTTP/1.1\r\nauthorization: {authorization}\r\n"), "")
    }

    fn post(&self, form: &str) -> Value {
        let kind = "content-type: application/x-www-form-urlencoded";
        self.ask(&format!("POST /oauth2/token HTTP/1.1\r\n{kind}\r\n"), form)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

/// Goes every way, and gives back every secret that was used or made on it.
fn walk(server: &Server) -> Vec<String> {
    const SCOPE: &str = "scope=repository:app:pull";
    let mut secrets: Vec<String> =
        ["secret-one", "wrong-secret", "typed-secret", "query-secret", "form-secret"]
            .map(str::to_owned)
            .into();
    let target = format!("/oauth2/token?service=registry.local&{SCOPE}");
    for (name, password) in [
        ("Reader", "secret-one"),
        ("Reader", "wrong-secret"),
        ("nobody", "wrong-secret"),
        ("typed-secret", ""),
        ("typed-secret", "secret-one"),
        ("00000000-0000-0000-0000-000000000000", "wrong-secret"),
    ] {
        let authorization = basic(name, password);
        let answer = server.get(&target, &authorization);
        secrets.extend(answer["access_token"].as_str().map(str::to_owned));
        secrets.extend(authorization.strip_prefix("Basic ").map(str::to_owned));
    }
    server
        .get(&format!("{target}&password=query-secret&account=query-secret"), "Bearer form-secret");
    server.get("/v2/", "Bearer form-secret");
    server.get("/nothing/query-secret?query-secret", "rubbish form-secret");
    let password = "grant_type=password&username=Reader&access_type=offline&service=registry.local";
    let answer = server.post(&format!("{password}&password=secret-one&{SCOPE}"));
    let refresh = answer["refresh_token"].as_str().expect("no refresh token").to_owned();
    secrets.push(refresh.clone());
    secrets.extend(answer["access_token"].as_str().map(str::to_owned));
    server.post(&format!("{password}&password=form-secret"));
    server.post("grant_type=form-secret&password=form-secret");
    server.post("username=form-secret&%");
    for token in [refresh.as_str(), "form-secret", &refresh[..refresh.len() - 4]] {
        let form = format!("grant_type=refresh_token&refresh_token={token}&service=registry.local");
        let answer = server.post(&format!("{form}&{SCOPE}"));
        secrets.extend(answer["access_token"].as_str().map(str::to_owned));
        server.get(&target, &basic("00000000-0000-0000-0000-000000000000", token));
        server.get("/v2/", &format!("Bearer {token}"));
    }
    // The one place that tells a generated password is the standard output.
    let generated: Value = serde_json::from_str(server.read("out").trim()).unwrap();
    let generated = generated.as_object().unwrap()["value"].as_str().unwrap().to_owned();
    server.get(&target, &basic("Generated", &generated));
    secrets.push(generated);
    for key in private_keys(&server.folder.path().join("data")) {
        secrets.extend(key.lines().filter(|line| !line.starts_with('-')).map(str::to_owned));
    }
    secrets
}

/// Every private key that the database holds, PEM.
#[tokio::main(flavor = "current_thread")]
async fn private_keys(folder: &Path) -> Vec<String> {
    let store = Store::open(folder, None).await.unwrap();
    let keys = store.changes(0).await.unwrap().keys;
    let authority = keys.authority.into_iter().map(|authority| authority.private_key);
    let all: Vec<_> = keys.keys.into_iter().map(|key| key.private_key).chain(authority).collect();
    assert!(all.len() >= 2, "no key was made");
    all
}

#[track_caller]
fn check(flags: &[&str]) {
    let server = Server::start(flags);
    let secrets = walk(&server);
    let log = server.read("log");
    assert!(log.contains("correlation_id") && log.contains("decision"), "too little in {log}");
    for secret in &secrets {
        // A token's signature is what makes it one; its claims may be known.
        let piece = secret.rsplit('.').next().unwrap();
        assert!(piece.len() > 8, "{secret} proves nothing");
        let line = log.lines().find(|line| line.contains(piece));
        assert_eq!(line, None, "{secret} is in the log");
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
