//! A token server, a real registry that trusts it, and skopeo: for one test, on loopback.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Rules of a scope map: repositories or patterns, each with permissions.
type Rules<'a> = [(&'a str, &'a [&'a str])];

const TOKEN: &str = "MyToken";
const SERVICE: &str = "registry.test";
const ISSUER: &str = "walks";

pub(crate) struct Stack {
    folder: TempDir,
    server_port: u16,
    registry_port: u16,
    password: String,
    server: Running,
    _registry: Running,
}

/// A process that ends with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Stack {
    /// A stack whose one token has a map with these rules.
    pub(crate) fn start(rules: &Rules<'_>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (server_port, registry_port) = (free_port(), free_port());
        let password = apply(folder.path(), rules).expect("no password was generated");
        let server = start_server(folder.path(), server_port);
        let registry = start_registry(folder.path(), registry_port, server_port);
        make_image(folder.path());
        Self { folder, server_port, registry_port, password, server, _registry: registry }
    }

    /// Changes the rules of the token's map, from another process than the server.
    pub(crate) fn update(&self, rules: &Rules<'_>) {
        assert_eq!(apply(self.folder.path(), rules), None, "a token keeps its password");
    }

    /// Ends the server as a crash would, and starts it again.
    pub(crate) fn kill_and_restart_server(&mut self) {
        self.server.0.kill().unwrap();
        self.server.0.wait().unwrap();
        self.server = start_server(self.folder.path(), self.server_port);
    }

    pub(crate) fn login(&self, password: &str) -> Result<(), String> {
        let registry = format!("127.0.0.1:{}", self.registry_port);
        self.skopeo(&["login", "--tls-verify=false", "-u", TOKEN, "-p", password, &registry])
    }

    pub(crate) fn push(&self, repository: &str) -> Result<(), String> {
        let image = self.image();
        let destination = self.reference(repository);
        self.skopeo(&[
            "copy",
            "--dest-tls-verify=false",
            "--dest-creds",
            &self.credentials(),
            &image,
            &destination,
        ])
    }

    pub(crate) fn pull(&self, repository: &str) -> Result<(), String> {
        let source = self.reference(repository);
        let copy = format!("dir:{}", self.folder.path().join("pulled").display());
        self.skopeo(&[
            "copy",
            "--src-tls-verify=false",
            "--src-creds",
            &self.credentials(),
            &source,
            &copy,
        ])
    }

    pub(crate) fn delete(&self, repository: &str) -> Result<(), String> {
        let reference = self.reference(repository);
        self.skopeo(&["delete", "--tls-verify=false", "--creds", &self.credentials(), &reference])
    }

    /// The access entries of a token for these scopes, as scopes.
    pub(crate) fn access(&self, scopes: &str) -> String {
        let credentials = base64(self.credentials().as_bytes());
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.server_port)).unwrap();
        write!(
            stream,
            "GET /oauth2/token?service={SERVICE}&scope={scopes} HTTP/1.1\r\nHost: localhost\r\n\
             Authorization: Basic {credentials}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        let (_, body) = response.split_once("\r\n\r\n").unwrap();
        let body: serde_json::Value =
            serde_json::from_str(body).unwrap_or_else(|_| panic!("{response}"));
        let token = body["access_token"].as_str().unwrap();
        let claims: serde_json::Value =
            serde_json::from_slice(&from_base64url(token.split('.').nth(1).unwrap())).unwrap();
        let entries: Vec<scopegate_api::access::AccessEntry> =
            serde_json::from_value(claims["access"].clone()).unwrap();
        entries.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    fn credentials(&self) -> String {
        format!("{TOKEN}:{}", self.password)
    }

    fn reference(&self, repository: &str) -> String {
        format!("docker://127.0.0.1:{}/{repository}:v1", self.registry_port)
    }

    fn image(&self) -> String {
        format!("oci:{}:v1", self.folder.path().join("image").display())
    }

    /// Runs skopeo with a home of its own, because it remembers where it saw blobs.
    fn skopeo(&self, arguments: &[&str]) -> Result<(), String> {
        let home = self.folder.path().join("home");
        fs::create_dir_all(&home).unwrap();
        let output = Command::new("skopeo")
            .args(arguments)
            .env("HOME", &home)
            .env("REGISTRY_AUTH_FILE", home.join("auth.json"))
            .output()
            .expect("skopeo is not installed: run `cargo xtask setup`");
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into())
        }
    }
}

/// Writes a map and its token; gives the token's password when one was generated.
fn apply(folder: &Path, rules: &Rules<'_>) -> Option<String> {
    let mut seed = String::from("scopeMaps:\n  - name: MyScopeMap\n    actions:\n");
    for (repository, permissions) in rules {
        for permission in *permissions {
            writeln!(seed, "      - repositories/{repository}/{permission}").unwrap();
        }
    }
    writeln!(seed, "tokens:\n  - {{name: {TOKEN}, scopeMap: MyScopeMap}}").unwrap();
    let file = folder.join("seed.yaml");
    fs::write(&file, seed).unwrap();
    let output = Command::new(server_program())
        .args(["apply", "--data"])
        .args([folder.join("data"), file])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let generated: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
    Some(generated["value"].as_str().unwrap().to_owned())
}

fn start_server(folder: &Path, port: u16) -> Running {
    let child = Command::new(server_program())
        .args(["serve", "--service", SERVICE, "--issuer", ISSUER, "--listen"])
        .arg(format!("127.0.0.1:{port}"))
        .arg("--data")
        .arg(folder.join("data"))
        .stderr(File::create(folder.join("server.log")).unwrap())
        .spawn()
        .unwrap();
    let server = Running(child);
    wait_for(port, &folder.join("server.log"));
    server
}

fn start_registry(folder: &Path, port: u16, server_port: u16) -> Running {
    let config = format!(
        "version: 0.1
storage:
  filesystem: {{rootdirectory: {folder}/registry}}
  delete: {{enabled: true}}
http: {{addr: 127.0.0.1:{port}}}
auth:
  token:
    realm: http://127.0.0.1:{server_port}/oauth2/token
    service: {SERVICE}
    issuer: {ISSUER}
    rootcertbundle: {folder}/data/signing-cert.pem
",
        folder = folder.display()
    );
    let file = folder.join("registry.yml");
    fs::write(&file, config).unwrap();
    let child = Command::new("docker-registry")
        .arg("serve")
        .arg(file)
        .stdout(Stdio::null())
        .stderr(File::create(folder.join("registry.log")).unwrap())
        .spawn()
        .expect("docker-registry is not installed: run `cargo xtask setup`");
    let registry = Running(child);
    wait_for(port, &folder.join("registry.log"));
    registry
}

/// An image of one small file, made without a network.
fn make_image(folder: &Path) {
    let image = folder.join("image");
    let tagged = format!("{}:v1", image.display());
    let file = folder.join("hello");
    fs::write(&file, "hello\n").unwrap();
    let umoci = |arguments: &[&str]| {
        let output = Command::new("umoci")
            .args(arguments)
            .output()
            .expect("umoci is not installed: run `cargo xtask setup`");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    umoci(&["init", "--layout", image.to_str().unwrap()]);
    umoci(&["new", "--image", &tagged]);
    umoci(&["insert", "--rootless", "--image", &tagged, file.to_str().unwrap(), "/hello"]);
}

/// The server, which cargo builds into the same folder as this test.
fn server_program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("scopegate-server");
    assert!(program.is_file(), "no {}: run `cargo build -p scopegate-server`", program.display());
    program
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Waits until a process listens on `port`; `log` says why when none does.
fn wait_for(port: u16, log: &Path) {
    let start = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        let patient = start.elapsed() < Duration::from_secs(20);
        assert!(patient, "nobody answers: {}", fs::read_to_string(log).unwrap_or_default());
        sleep(Duration::from_millis(20));
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn from_base64url(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap()
}
