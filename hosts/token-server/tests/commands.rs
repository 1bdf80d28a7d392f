//! The command line, by the real program: what each command does, says, and ends with.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "what fails ends the test"
)]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(30);

/// Of `secret-one`.
const SEED: &str = "
scopeMaps: [{name: reader-map, actions: [repositories/app/content/read]}]
tokens:
  - name: Reader
    scopeMap: reader-map
    passwords: [{name: password1, sha256: ea77193cc4e6f18656f3130e296203880c4b9b3772afc855211b82fdd46e9185}]
";

/// A data folder, and what the program does with it.
struct Data(TempDir);

impl Data {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn command(&self, command: &[&str]) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_scopegate-server"));
        program.args(command).arg("--data").arg(self.path("data"));
        program
    }

    fn run(&self, command: &[&str], more: &[&str]) -> Output {
        self.command(command).args(more).stdin(Stdio::null()).output().unwrap()
    }

    /// What a command that succeeds prints.
    #[track_caller]
    fn said(&self, command: &[&str], more: &[&str]) -> String {
        let output = self.run(command, more);
        let (out, error) = texts(&output);
        assert!(output.status.success(), "{command:?} {more:?}: {error}");
        out
    }

    /// What a command that fails says is wrong: the last line on standard error, behind the log.
    #[track_caller]
    fn refused(&self, command: &[&str], more: &[&str]) -> String {
        let output = self.run(command, more);
        let (out, error) = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{command:?} {more:?}: {out}{error}");
        let last = error.lines().last().unwrap_or_default();
        last.strip_prefix("error: ").unwrap_or_else(|| panic!("{error}")).to_owned()
    }

    fn serve(&self, flags: &[&str]) -> Server {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
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
        // A connection alone says nothing: where nobody listens, one can be to itself.
        while server.ask("/healthz", "").is_none() {
            let is_running = server.process.try_wait().unwrap().is_none();
            let log = || std::fs::read_to_string(self.path("log")).unwrap();
            assert!(is_running && start.elapsed() < PATIENCE, "nobody answers: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    /// The status and the body of an answer.
    fn get(&self, target: &str, authorization: &str) -> (u16, String) {
        self.ask(target, authorization).unwrap_or_else(|| panic!("no answer: {target}"))
    }

    /// The same, or nothing where there is no answer.
    fn ask(&self, target: &str, authorization: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
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

    fn token(&self) -> String {
        let (_, body) =
            self.get("/oauth2/token?scope=repository:app:pull", &basic("Reader", "secret-one"));
        let body: Value = serde_json::from_str(&body).unwrap();
        body["access_token"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
    }

    fn is_valid(&self, token: &str) -> bool {
        self.get("/v2/", &format!("Bearer {token}")).0 == 200
    }

    /// The ids of the published keys.
    fn published(&self) -> Vec<String> {
        let keys: Value = serde_json::from_str(&self.get("/.well-known/jwks.json", "").1).unwrap();
        let kid = |key: &Value| key["kid"].as_str().unwrap().to_owned();
        keys["keys"].as_array().unwrap().iter().map(kid).collect()
    }

    /// Waits until a key is published; tells how long that took.
    #[track_caller]
    fn await_key(&self, kid: &str) -> Duration {
        let start = Instant::now();
        while !self.published().iter().any(|known| known == kid) {
            assert!(start.elapsed() < PATIENCE, "{kid} is not published");
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

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

fn header(token: &str) -> Value {
    let part = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice(&part).unwrap()
}

fn kid(token: &str) -> String {
    header(token)["kid"].as_str().unwrap().to_owned()
}

#[test]
fn a_new_secret_of_the_administrator_ends_the_old_one() {
    let data = Data::new();
    let said: Value = serde_json::from_str(&data.said(&["administrator"], &[])).unwrap();
    let mut fields: Vec<_> = said.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["clientId", "secret", "subscription", "tenant"]);
    let secret = |said: &Value| basic("administrator", said["secret"].as_str().unwrap());
    let server = data.serve(&[]);
    assert_eq!(server.get("/registries/registry", &secret(&said)).0, 200);
    let renewed: Value = serde_json::from_str(&data.said(&["administrator"], &[])).unwrap();
    assert_eq!(
        (&renewed["tenant"], &renewed["subscription"]),
        (&said["tenant"], &said["subscription"])
    );
    // Management decides by what is in the database at this moment, so nothing has to be waited
    // for.
    assert_eq!(server.get("/registries/registry", &secret(&said)).0, 401);
    assert_eq!(server.get("/registries/registry", &secret(&renewed)).0, 200);
}

#[test]
fn the_next_key_is_published_before_it_signs() {
    let data = Data::new();
    let server = data.serve(&[]);
    let old = server.token();
    let before = data.said(&["keys", "list"], &[]);
    assert_eq!(before.lines().count(), 1, "{before}");
    assert!(before.starts_with(&format!("{} ES256 signs from ", kid(&old))), "{before}");
    let next = data.said(&["keys", "rotate"], &[]).trim().to_owned();
    let took = server.await_key(&next);
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert_eq!(server.published().len(), 2);
    assert_eq!(kid(&server.token()), kid(&old), "the old one signs until the next one's time");
    assert!(server.is_valid(&old));
    let list = data.said(&["keys", "list"], &[]);
    assert_eq!(list.lines().count(), 2, "{list}");
    assert!(list.starts_with(&next), "the one that signs last comes first: {list}");
}

#[test]
fn a_key_that_leaked_is_replaced_at_once() {
    for x5c in [false, true] {
        let data = Data::new();
        let server = data.serve(&["--set", &format!("tokens.x5c={x5c}")]);
        let old = server.token();
        assert_eq!(header(&old)["x5c"].is_array(), x5c);
        let next = data.said(&["keys", "rotate", "--at-once"], &[]).trim().to_owned();
        server.await_key(&next);
        let new = server.token();
        assert_eq!(kid(&new), next);
        assert_eq!(header(&new)["x5c"].is_array(), x5c);
        assert!(server.is_valid(&new));
        assert!(!server.is_valid(&old), "whoever has the old key could sign anything");
        assert_eq!(server.published(), [next]);
    }
}

const REGISTRY: &str = include_str!("../../../examples/registry.yml");
/// The address that the example has for the token server.
const PUBLIC: &str = "publicUrl=https://localhost:5001";
/// Where the example has the bundle.
const BUNDLE: &str = "./scopegate-data/signing-cert.pem";

#[test]
fn the_doctor_tells_by_its_exit_code() {
    let data = Data::new();
    let server = data.serve(&["--set", PUBLIC, "--service", "localhost:5000"]);
    let good = server.token();
    let bundle = data.path("data/signing-cert.pem").display().to_string();
    let registry = |text: &str| {
        let text = text.replace(BUNDLE, &bundle);
        data.write("registry.yml", &text).display().to_string()
    };
    let public = ["--set", PUBLIC, "--service", "localhost:5000"];
    let doctor = |token: &str, registry: &str| {
        let path = data.write("token", token).display().to_string();
        data.run(
            &["doctor"],
            &[&public[..], &["--version", "2.8", "--registry", registry, &path]].concat(),
        )
    };
    let right = registry(REGISTRY);
    let output = doctor(&good, &right);
    assert!(output.status.success(), "{:?}", texts(&output));
    let (out, _) = texts(&output);
    assert!(!out.is_empty());
    let other = Data::new();
    let foreign = other.serve(&[]).token();
    let payload = good.split('.').nth(1).unwrap();
    for (what, token) in [
        ("a token of another server", foreign.as_str()),
        ("cut off", &good[..good.len() - 10]),
        ("no token", "hello"),
        ("nothing", ""),
        (
            "none",
            &format!("{}.{payload}.", URL_SAFE_NO_PAD.encode(json!({"alg": "none"}).to_string())),
        ),
    ] {
        let output = doctor(token, &right);
        let (out, error) = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{what}: {out}");
        assert!(
            !out.is_empty() && error.contains("a registry refuses this token"),
            "{what}: {out}{error}"
        );
        let signature = good.rsplit('.').next().unwrap();
        assert!(!out.contains(&signature[..20]), "{what}: {out}");
    }
    for (from, to) in [
        ("issuer: scopegate", "issuer: another"),
        ("service: localhost:5000", "service: another"),
        (bundle.as_str(), "/nowhere.pem"),
    ] {
        let text = REGISTRY.replace(BUNDLE, &bundle);
        assert!(text.contains(from), "{from}");
        let output = doctor(&good, &registry(&text.replace(from, to)));
        assert_eq!(output.status.code(), Some(1), "{to}: {:?}", texts(&output));
    }
    // Version 3 wants the keys themselves, and the doctor says where they are.
    let three = |registry: &str| {
        let path = data.path("token").display().to_string();
        data.run(
            &["doctor"],
            &[&public[..], &["--version", "3", "--registry", registry, &path]].concat(),
        )
    };
    let path = data.write("token", &good).display().to_string();
    let (out, _) = texts(&three(&registry(REGISTRY)));
    assert!(out.contains("https://localhost:5001/.well-known/jwks.json"), "{out}");
    let jwks =
        data.write("jwks.json", &server.get("/.well-known/jwks.json", "").1).display().to_string();
    let text = format!("{REGISTRY}    jwks: {jwks}\n");
    let output = three(&registry(&text));
    assert!(output.status.success(), "{:?}", texts(&output));
    // Another realm is no reason to refuse a token, and no registry is one fewer to disagree.
    let service = ["--service", "localhost:5000"];
    data.said(&["doctor"], &[&service[..], &[&path]].concat());
    for version in ["2.8", "3"] {
        data.said(&["doctor"], &[&service[..], &["--version", version, &path]].concat());
    }
    assert!(data.refused(&["doctor"], &["/nowhere"]).contains("cannot read /nowhere"));
    assert!(data.refused(&["doctor"], &["--registry", "/nowhere", &path]).contains("/nowhere"));
    // The token may come by the standard input.
    let mut child = data
        .command(&["doctor"])
        .args(service)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(format!("{good}\n").as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_file_is_applied_whole_or_not_at_all() {
    let data = Data::new();
    let server = data.serve(&[]);
    let revision = || {
        let (_, body) = server.get("/readyz", "");
        body
    };
    let before = revision();
    let good = "scopeMaps: [{name: reader-map, actions: [repositories/app/content/write]}]\n";
    for (more, says) in [
        ("tokens: [{name: Reader, scopeMap: missing-map}]", "missing-map"),
        ("tokens: [{name: a b c}]", "a b c"),
        ("tokens: [{name: registry}]", "registry"),
        (
            "tokens: [{name: Reader, passwords: [{name: password1, sha256: hunter2-hunter2}]}]",
            "64 hexadecimal digits",
        ),
        ("tokens: [{name: Reader, passwords: [{name: password3, sha256: ''}]}]", "password3"),
        ("tokens: [{name: Reader, status: off}]", "`off`"),
        ("servicePrincipals: [{clientId: here}]", "here"),
        (
            "servicePrincipals: [{clientId: 3f2504e0-4f89-41d3-9a0c-0305e82c3301, roles: [King]}]",
            "King",
        ),
        (
            "servicePrincipals: [{clientId: 3f2504e0-4f89-41d3-9a0c-0305e82c3301, secret: hunter2-hunter2}]",
            "secret",
        ),
        ("colour: red", "colour"),
        ("tokens: [", ""),
        ("tokens: {{", ""),
        ("registry: {adminUserEnabled: perhaps}", ""),
    ] {
        let path = data.write("bad.yaml", &format!("{good}{more}\n")).display().to_string();
        let error = data.refused(&["apply"], &[&path]);
        assert!(error.contains(says) && error.contains("bad.yaml"), "{more}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    assert!(data.refused(&["apply"], &["/nowhere.yaml"]).contains("cannot read /nowhere.yaml"));
    let folder = data.path("").display().to_string();
    data.refused(&["apply"], &[&folder]);
    let binary = data.path("binary.yaml");
    std::fs::write(&binary, b"\xff\xfe\0").unwrap();
    data.refused(&["apply"], &[&binary.display().to_string()]);
    assert_eq!(revision(), before);
    assert!(
        server.get("/oauth2/token?scope=repository:app:pull", &basic("Reader", "secret-one")).0
            == 200
    );
    let generated = data
        .write("good.yaml", "tokens: [{name: Fresh-1, scopeMap: reader-map}]")
        .display()
        .to_string();
    let said: Value = serde_json::from_str(&data.said(&["apply"], &[&generated])).unwrap();
    assert_eq!((&said["token"], &said["name"]), (&json!("Fresh-1"), &json!("password1")));
    assert_eq!(data.said(&["apply"], &[&generated]), "", "it is shown once");
}

#[test]
fn a_wrong_value_is_named() {
    let data = Data::new();
    let seed = data.write("seed.yaml", SEED).display().to_string();
    let nothing = data.write("nothing.pem", "").display().to_string();
    for (more, says) in [
        (&["--set", "limits.bodi=1"][..], "`bodi`"),
        (&["--set", "limits.body=1"], "limits.body is 1"),
        (&["--set", "limits.body"], "limits.body"),
        (&["--set", "tokens.algorithm=HS256"], "`HS256` is not one of"),
        (&["--set", "registry.name=x"], "registry.name `x`"),
        (&["--set", "registry.name=administrator"], "registry.name `administrator`"),
        (
            &["--service", "https://r.example", "--public-url", "https://r.example/"],
            "publicUrl `https://r.example/`",
        ),
        (&["--public-url", "ftp://x/"], "publicUrl"),
        (&["--config", "/nowhere.yaml"], "/nowhere.yaml"),
        (&["--seed", "/nowhere.yaml"], "/nowhere.yaml"),
        (&["--database-url", "mysql://u:hunter2@db/x"], "databaseUrl"),
        (&["--tls-certificate", "/nowhere.pem", "--tls-key", &nothing], "/nowhere.pem"),
        (&["--listen", "192.0.2.1:1", "--seed", &seed], "192.0.2.1:1"),
    ] {
        let error = data.refused(&["serve"], more);
        let known =
            error.contains(says) || (says == "databaseUrl" && error.contains("postgres://"));
        assert!(known, "{more:?}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    // What the command line itself does not know is the command line library's to say.
    for line in [&["serve", "--colour"][..], &["paint"], &["keys"], &["doctor"], &[]] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_scopegate-server")).args(line).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{line:?}");
    }
}

#[test]
fn a_broken_key_stops_the_start_and_is_not_replaced() {
    let data = Data::new();
    for content in
        ["", "not a key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
    {
        let path = data.write("data/signing-key.pem", content);
        for command in [&["serve"][..], &["keys", "rotate"]] {
            let error = data.refused(command, &[]);
            assert!(error.contains("signing-key.pem is no key"), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
        }
    }
}

#[test]
fn the_key_of_an_earlier_version_is_taken_over() {
    let data = Data::new();
    let pem = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let path = data.write("data/signing-key.pem", &pem);
    let first = data.serve(&[]);
    let token = first.token();
    drop(first);
    assert_eq!(read(&path), pem);
    // A second start, and one without the file: the key is in the database.
    for is_there in [true, false] {
        if !is_there {
            std::fs::remove_file(&path).unwrap();
        }
        let server = data.serve(&[]);
        assert!(server.is_valid(&token), "{is_there}");
        assert_eq!(server.published(), [kid(&token)]);
    }
    // Another folder with the same file has the same key.
    let other = Data::new();
    other.write("data/signing-key.pem", &pem);
    assert_eq!(kid(&other.serve(&[]).token()), kid(&token));
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// Whoever puts a database back says so, and what was issued before opens nothing any more, at the
/// server that runs too.
#[test]
fn fault_9_restore_ends_every_token() {
    let data = Data::new();
    let server = data.serve(&[]);
    let token = server.token();
    let null_guid = basic("00000000-0000-0000-0000-000000000000", &token);
    let exchange = || server.get("/oauth2/token?scope=repository:samples/a:pull", &null_guid).0;
    assert_eq!(exchange(), 200);
    let restore = || serde_json::from_str::<Value>(&data.said(&["restore"], &[])).unwrap();
    let (first, second) = (restore(), restore());
    assert_ne!(first["epoch"], second["epoch"]);
    assert!(second["revision"].as_i64() > first["revision"].as_i64());
    let begun = Instant::now();
    while exchange() != 401 {
        assert!(begun.elapsed() < Duration::from_secs(5), "the token of before is still good");
        std::thread::sleep(Duration::from_millis(50));
    }
    let fresh = basic("00000000-0000-0000-0000-000000000000", &server.token());
    assert_eq!(server.get("/oauth2/token?scope=repository:samples/a:pull", &fresh).0, 200);
}
