//! No secret is in any log, however much is logged.
//!
//! The real program, at the level that logs most, goes through every way of asking for a token and
//! through management, with credentials that are right, wrong, or in the wrong field. What it
//! writes may hold none of them, however they are written; and no answer holds one that did not
//! make it.

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

use std::cell::RefCell;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use scopegate_server::testing::store::Store;
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
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
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
    // What a server prints may be a log, so the one place that tells a generated password is a
    // file.
    assert_eq!(server.read("out"), "");
    let kept = server.read("data/generated-passwords.jsonl");
    let generated: Value = serde_json::from_str(kept.trim()).unwrap();
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

/// Goes every way through exchange, the authority and management, right and wrong; gives back every
/// secret of it.
fn walk_management(server: &Server) -> (Vec<String>, String) {
    const SERVICE: &str = "service=registry.local";
    const SCOPE: &str = "scope=repository:app:pull";
    let mut secrets: Vec<String> = [
        "exchanged-secret",
        "client-secret-typed",
        "chosen-secret-of-sixteen",
        "misplaced-secret",
        "value-secret",
    ]
    .map(str::to_owned)
    .into();
    let mut said = String::new();
    // The administrator, twice: the first secret is an old one then.
    let mut administrator = String::new();
    let mut tenant = String::new();
    for _ in 0..2 {
        let (out, error) = server.command(&["administrator"], &[]);
        let value: Value = serde_json::from_str(&out).unwrap();
        administrator = value["secret"].as_str().unwrap().to_owned();
        tenant = value["tenant"].as_str().unwrap().to_owned();
        secrets.push(administrator.clone());
        said.push_str(&error);
    }
    let owner = basic("administrator", &administrator);
    secrets.push(owner.trim_start_matches("Basic ").to_owned());
    // The authority.
    let authority = format!("/{tenant}/oauth2/v2.0/token");
    let grant = "grant_type=client_credentials&client_id=administrator";
    for (secret, audience) in [
        (administrator.as_str(), "https://containerregistry.azure.net/.default"),
        (&administrator, "misplaced-secret"),
        ("client-secret-typed", "https://containerregistry.azure.net/.default"),
    ] {
        let answer =
            server.post_to(&authority, &format!("{grant}&client_secret={secret}&scope={audience}"));
        let Some(token) = answer["access_token"].as_str() else { continue };
        secrets.push(token.to_owned());
        let form = format!("grant_type=access_token&{SERVICE}&access_token={token}");
        secrets.push(
            server.post_to("/oauth2/exchange", &form)["refresh_token"].as_str().unwrap().to_owned(),
        );
        server.manage("GET", "", &format!("Bearer {token}"), "");
    }
    server.post_to(&authority, "grant_type=client_secret&client_secret=client-secret-typed");
    server.post_to(
        "/value-secret/oauth2/v2.0/token",
        &format!("{grant}&client_secret={administrator}"),
    );
    // Management: what it makes, and what is wrong with a request.
    let made = |answer: &Value| -> Vec<String> {
        let passwords = answer["passwords"].as_array().cloned().unwrap_or_default();
        let values = passwords.iter().filter_map(|password| password["value"].as_str());
        values.chain(answer["secret"].as_str()).map(str::to_owned).collect()
    };
    let client = "/servicePrincipals/3f2504e0-4f89-41d3-9a0c-0305e82c3301";
    server.manage("PUT", client, &owner, r#"{"roles": ["AcrPull"]}"#);
    let generated = made(&server.manage("POST", &format!("{client}/secrets"), &owner, ""));
    assert_eq!(generated.len(), 1);
    let chosen = r#"{"secret": "chosen-secret-of-sixteen"}"#;
    server.manage("POST", &format!("{client}/secrets"), &owner, chosen);
    for wrong in [
        r#""misplaced-secret""#,
        r#"{"secret": ["misplaced-secret"]}"#,
        r#"{"secret": {"misplaced-secret": 1}}"#,
        r#"["misplaced-secret"]"#,
        "misplaced-secret",
        r#"{"secret": "misplaced-secret"#,
    ] {
        server.manage("POST", &format!("{client}/secrets"), &owner, wrong);
    }
    server.manage(
        "PATCH",
        "",
        &owner,
        r#"{"properties": {"adminUserEnabled": "misplaced-secret"}}"#,
    );
    server.manage(
        "PATCH",
        "",
        &owner,
        r#"{"properties": {"adminUserEnabled": true, "anonymousPullEnabled": true}}"#,
    );
    let admin = made(&server.manage("POST", "/listCredentials", &owner, ""));
    assert_eq!(admin.len(), 2);
    let renewed =
        made(&server.manage("POST", "/regenerateCredential", &owner, r#"{"name": "password"}"#));
    server.manage("POST", "/regenerateCredential", &owner, r#"{"name": "misplaced-secret"}"#);
    let id = server.manage("GET", "/tokens/Reader", &owner, "")["id"].as_str().unwrap().to_owned();
    let passwords = made(&server.manage(
        "POST",
        "/generateCredentials",
        &owner,
        &format!(r#"{{"tokenId": "{id}", "name": "password2"}}"#),
    ));
    assert_eq!(passwords.len(), 1);
    server.manage(
        "POST",
        "/generateCredentials",
        &owner,
        &format!(r#"{{"tokenId": "{id}", "expiry": 7, "name": {{"value-secret": 1}}}}"#),
    );
    for path in [
        "",
        "/tokens",
        "/tokens/Reader",
        "/scopeMaps",
        "/servicePrincipals",
        client,
        "/generations?since=misplaced-secret",
        "/tokens?$top=misplaced-secret",
    ] {
        server.manage("GET", path, &owner, "");
    }
    server.manage("POST", "/listCredentials", &owner, "");
    for authorization in [
        "Bearer exchanged-secret",
        "Basic exchanged-secret",
        "exchanged-secret",
        &basic("administrator", "exchanged-secret"),
    ] {
        server.manage("GET", "/tokens", authorization, "");
        server.manage("PUT", client, authorization, chosen);
    }
    // Every one of them in exchange, as a password, and as the null GUID's.
    let client_id = client.rsplit('/').next().unwrap();
    for (name, password) in [
        (client_id, generated[0].as_str()),
        (client_id, "chosen-secret-of-sixteen"),
        ("registry", &admin[1]),
        ("registry", &renewed[0]),
        ("Reader", &passwords[0]),
        ("Reader", "exchanged-secret"),
        ("exchanged-secret", "exchanged-secret"),
    ] {
        server.get(&format!("/oauth2/token?{SERVICE}&{SCOPE}"), &basic(name, password));
        let form = format!("grant_type=access_token&{SERVICE}&access_token={name}:{password}");
        let answer = server.post_to("/oauth2/exchange", &form);
        let Some(refresh) = answer["refresh_token"].as_str() else { continue };
        secrets.push(refresh.to_owned());
        let form = format!(
            "grant_type=password&username=00000000-0000-0000-0000-000000000000&{SCOPE}&password={refresh}"
        );
        secrets.push(server.post(&form)["access_token"].as_str().unwrap().to_owned());
    }
    secrets.extend(
        server.post(&format!("grant_type=password&{SCOPE}"))["access_token"]
            .as_str()
            .map(str::to_owned),
    );
    for grant in ["refresh_token", "access_token_refresh_token", "access_token", "exchanged-secret"]
    {
        let form = format!(
            "grant_type={grant}&{SERVICE}&access_token=exchanged-secret&refresh_token=exchanged-secret&tenant=t"
        );
        server.post_to("/oauth2/exchange", &form);
    }
    for all in [generated, admin, renewed, passwords] {
        secrets.extend(all);
    }
    // Commands beside the server.
    for command in [&["keys", "list"][..], &["keys", "rotate"], &["keys", "rotate", "--at-once"]] {
        let (out, error) = server.command(command, &[]);
        said.push_str(&(out + &error));
    }
    for (name, text) in [
        (
            "digest.yaml",
            "tokens: [{name: Reader, passwords: [{name: password1, sha256: misplaced-secret}]}]",
        ),
        ("whole.yaml", "tokens: [{name: Reader, passwords: [misplaced-secret]}]"),
        ("list.yaml", "tokens: [{name: Reader, passwords: misplaced-secret}]"),
        (
            "client.yaml",
            "servicePrincipals: [{clientId: 3f2504e0-4f89-41d3-9a0c-0305e82c3302, secret: misplaced-secret}]",
        ),
    ] {
        let (out, error) = server.command(&["apply"], &[&server.write(name, text)]);
        assert!(out.is_empty() && error.contains("error: "), "{name}: {out}{error}");
        said.push_str(&error);
    }
    (secrets, said)
}

/// The ways in which a secret could be written.
fn spellings(secret: &str) -> Vec<String> {
    let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    // Within longer text the ends depend on what stands beside it.
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
    let mut secrets = walk(&server);
    let (more, said) = walk_management(&server);
    secrets.extend(more);
    let log = server.read("log");
    assert!(log.contains("correlation_id") && log.contains("decision"), "too little in {log}");
    let answers = server.answers.borrow();
    for secret in &secrets {
        // A token's signature is what makes it one; its claims may be known.
        let piece = secret.rsplit('.').next().unwrap();
        assert!(piece.len() > 8, "{secret} proves nothing");
        for spelling in spellings(piece) {
            let line = log.lines().chain(said.lines()).find(|line| line.contains(&spelling));
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
