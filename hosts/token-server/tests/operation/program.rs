//! The real program: file, environment, flags and signals.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream as StdStream};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use scopegate_host::setting::SecretUrl;
use tempfile::TempDir;

use crate::traces::collector;
use crate::{Answer, TIMEOUT, connect};
use scopegate_server::testing::free_address;

/// The real program, with everything from a file.
struct Program {
    process: Child,
    address: SocketAddr,
    metrics: SocketAddr,
    folder: TempDir,
}

impl Program {
    fn start(collector: &SecretUrl) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (address, metrics) = (free_address(), free_address());
        let file = folder.path().join("scopegate.yaml");
        let text = format!(
            "data: {}\nlisten: {address}\nissuer: file\nregistry: {{service: file}}\nmetrics: {{listen: {metrics}}}\notlp: {{endpoint: '{}'}}\n",
            folder.path().join("data").display(),
            collector.expose(),
        );
        std::fs::write(&file, text).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_scopegate-server"))
            .args(["serve", "--log-json", "--service", "flag"])
            .env("SCOPEGATE_CONFIG", &file)
            .env("SCOPEGATE_REGISTRY__SERVICE", "environment")
            .stderr(std::fs::File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let program = Self { process, address, metrics, folder };
        program.wait_until_it_answers();
        program
    }

    fn wait_until_it_answers(&self) {
        let start = Instant::now();
        while StdStream::connect(self.metrics).is_err() {
            assert!(start.elapsed() < TIMEOUT, "nobody answers: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Sends a signal, and waits for the end.
    fn stop(&mut self) -> ExitStatus {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let start = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < TIMEOUT, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn ask(address: SocketAddr, target: &str) -> Answer {
    let mut stream = connect(address);
    write!(stream, "GET {target} HTTP/1.1\r\nhost: r\r\nconnection: close\r\n\r\n").unwrap();
    Answer::read(&mut stream)
}

#[test]
fn the_program_obeys_file_environment_and_signals() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (endpoint, spans) = runtime.block_on(collector());
    let mut program = Program::start(&endpoint);
    let (address, metrics) = (program.address, program.metrics);
    let challenge = ask(address, "/v2/");
    assert!(challenge.head.contains(r#"service="flag""#), "{challenge:?}");
    assert_eq!(ask(address, "/metrics").status, 404);
    assert_eq!(ask(address, "/readyz").body, r#"{"status":"ready"}"#);
    assert_eq!(ask(metrics, "/healthz").body, "ok\n");
    assert!(ask(metrics, "/metrics").body.contains("scopegate_http_requests_total"));
    let status = program.stop();
    assert!(status.success(), "{}", program.log());
    let spans = spans.lock().unwrap();
    let spans = String::from_utf8_lossy(&spans);
    assert!(spans.contains("GET /v2/") && spans.contains("http.route"), "{spans}");
}
