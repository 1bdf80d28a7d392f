//! Management on an address of its own: the real program, over TLS.

mod certificates;
mod flood;
mod guide;
mod pki;
mod routes;

use scopegate_server::testing::free_address;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use reqwest::{Certificate, Identity, Method, RequestBuilder};
use serde_json::Value;
use tempfile::TempDir;

use pki::Authority;

/// How long a test waits for what should come at once: machines are busy.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The roles of clients, each with a certificate's name.
const NAMES: [(&str, &str); 5] = [
    ("owner@example.com", "Owner"),
    ("contributor@example.com", "Contributor"),
    ("reader@example.com", "Reader"),
    ("edge@example.com", "EdgeReader"),
    ("puller@example.com", "AcrPull"),
];

/// The program, with an administrator.
struct Program {
    process: Child,
    public: SocketAddr,
    management: SocketAddr,
    folder: TempDir,
    /// The authority of its certificates.
    servers: Authority,
    /// That of its clients.
    operators: Authority,
    administrator: Value,
}

impl Program {
    /// A server without certificates of clients.
    fn start() -> Self {
        Self::with("{perAddress: {rate: 1, burst: 150}}", "")
    }

    /// A server that takes certificates with [`NAMES`], with these settings more.
    fn with_certificates(more: &str) -> Self {
        let names = NAMES.map(|(name, role)| format!("{{name: {name}, roles: [{role}]}}"));
        let names = names.join(", ");
        let certificates =
            format!("  clientCertificates: {{ca: ca.pem, names: [{names}]{more}}}\n");
        Self::with("{}", &certificates)
    }

    fn with(limits: &str, certificates: &str) -> Self {
        scopegate_host::tls::install_provider();
        let folder = tempfile::tempdir().unwrap();
        let (public, management) = (free_address(), free_address());
        let (servers, operators) = (Authority::new("servers"), Authority::new("operators"));
        let (certificate, key) = servers.server();
        let list = operators.revocation_list(&[7], 3600);
        for (file, text) in [
            ("tls.pem", certificate.as_str()),
            ("tls.key", &key),
            ("ca.pem", &operators.pem),
            ("crl.pem", &list),
        ] {
            std::fs::write(folder.path().join(file), text).unwrap();
        }
        let tls = "tls: {certificate: tls.pem, key: tls.key}";
        let config = format!(
            "listen: {public}\nregistry: {{service: r.test}}\nauthz: {{peers: [127.0.0.1]}}\nlimits: {limits}\n{tls}\nmanagement:\n  listen: {management}\n  {tls}\n{certificates}"
        );
        std::fs::write(folder.path().join("scopegate.yaml"), config).unwrap();
        let printed = program(&folder, "administrator").output().unwrap();
        assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
        let administrator = serde_json::from_slice(&printed.stdout).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let process = program(&folder, "serve").stderr(log).spawn().unwrap();
        let program =
            Self { process, public, management, folder, servers, operators, administrator };
        program.wait(|| TcpStream::connect(management).is_ok());
        program
    }

    /// Waits until something is so.
    #[track_caller]
    fn wait(&self, mut is_so: impl FnMut() -> bool) {
        let start = Instant::now();
        while !is_so() {
            assert!(start.elapsed() < TIMEOUT, "{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// Makes it read its files again.
    fn hang_up(&self) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    }

    fn public(&self, path: &str) -> String {
        format!("https://{}{path}", self.public)
    }

    fn management(&self, path: &str) -> String {
        format!("https://{}{path}", self.management)
    }

    fn secret(&self) -> &str {
        self.administrator["secret"].as_str().unwrap()
    }

    fn tenant(&self) -> &str {
        self.administrator["tenant"].as_str().unwrap()
    }

    /// A client, with a certificate and its key.
    fn client(&self, certificate: Option<&str>) -> Client {
        let servers = Certificate::from_pem(self.servers.pem.as_bytes()).unwrap();
        let client = reqwest::Client::builder().no_proxy().timeout(TIMEOUT);
        let client = client.tls_certs_only([servers]);
        let client = match certificate {
            Some(pem) => client.identity(Identity::from_pem(pem.as_bytes()).unwrap()),
            None => client,
        };
        Client(client.build().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn program(folder: &TempDir, command: &str) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_scopegate-server"));
    program.current_dir(folder).args([command, "--config", "scopegate.yaml", "--data", "data"]);
    program
}

/// A client with connections of its own.
struct Client(reqwest::Client);

impl Client {
    fn request(&self, method: &str, url: &str) -> RequestBuilder {
        self.0.request(Method::from_bytes(method.as_bytes()).unwrap(), url)
    }

    /// The status of a GET; an error where there is no connection.
    async fn get(&self, url: &str) -> reqwest::Result<u16> {
        Ok(self.request("GET", url).send().await?.status().as_u16())
    }
}

/// The status and the body, null where it is no JSON.
async fn answer(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let bytes = answer.bytes().await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}
