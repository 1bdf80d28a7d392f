//! Operation over real sockets: what clients that misbehave get, and what operators see.

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
use std::net::{SocketAddr, TcpListener as StdListener, TcpStream as StdStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::routing::{get, post};
use axum::{Json, Router};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};
use scopegate_host::networks::Networks;
use scopegate_host::tls::{Certificate, TlsFiles, install_provider};
use scopegate_server::testing::app::readiness::Readiness;
use scopegate_server::testing::config::{Limits, Rate, SecretUrl};
use scopegate_server::testing::domain::guard::Guard;
use scopegate_server::testing::http::headers::Reached;
use scopegate_server::testing::http::health;
use scopegate_server::testing::http::serve::{Bounds, layered, serve};
use scopegate_server::testing::http::tls::server_config;
use scopegate_server::testing::telemetry::{metrics, traces::Traces};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

/// How long a test waits for what should come at once: machines are busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server with a few routes of its own behind everything that stands around the real ones.
struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
    /// A request to `/slow` has begun.
    began: Arc<Notify>,
    /// Lets it end.
    end: Arc<Notify>,
}

impl Server {
    async fn start(limits: Limits, tls: Option<&Arc<Certificate>>) -> Self {
        let guard = Arc::new(Guard::new(limits));
        let bounds = Bounds {
            head_within: Duration::from_secs(1),
            idle: Duration::from_secs(2),
            grace: PATIENCE,
            ..Bounds::new(&guard)
        };
        let (began, end) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let slow = {
            let (began, end) = (Arc::clone(&began), Arc::clone(&end));
            move || async move {
                began.notify_one();
                end.notified().await;
                "slow"
            }
        };
        let readiness = Arc::new(Readiness::new(Duration::from_secs(60)));
        readiness.confirm(7, 3, scopegate_server::testing::clock::now());
        let router = Router::new()
            .route("/v2/", get(|| async { Json(json!({})) }))
            .route("/slow", get(slow))
            .route("/never", get(std::future::pending::<()>))
            .route("/echo", post(|body: Bytes| async { body }))
            .merge(health::routes(Arc::clone(&readiness)))
            .merge(health::counters(metrics::install().unwrap(), readiness));
        let reached = Reached { is_secure: tls.is_some(), ..Reached::default() };
        let router = layered(router, &guard, reached);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let tls = tls.cloned().map(|certificate| server_config(certificate).unwrap());
        let serving = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            serve(listener, tls, router, bounds, stopped).await.unwrap();
        });
        Self { address, stop: Some(stop), serving, began, end }
    }

    /// What one connection answers to some bytes until it is closed.
    async fn raw(&self, request: impl Into<Vec<u8>>) -> Answer {
        let (address, request) = (self.address, request.into());
        tokio::task::spawn_blocking(move || {
            let mut stream = connect(address);
            // A server that refuses in the middle of a request closes, which a write may notice
            // first.
            let _ = stream.write_all(&request);
            Answer::read(&mut stream)
        })
        .await
        .unwrap()
    }

    async fn get(&self, target: &str, headers: &str) -> Answer {
        self.raw(format!("GET {target} HTTP/1.1\r\nhost: r\r\nconnection: close\r\n{headers}\r\n"))
            .await
    }
}

fn connect(address: SocketAddr) -> StdStream {
    let stream = StdStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn read(stream: &mut impl std::io::Read) -> Self {
        let mut bytes = Vec::new();
        // The end may be a reset when the server has not read everything.
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Self { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    /// The code of a registry's error.
    #[track_caller]
    fn code(&self) -> String {
        let body: Value =
            serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"));
        assert!(self.head.contains("content-type: application/json"), "{self:?}");
        assert!(!body["errors"][0]["message"].as_str().unwrap().is_empty());
        body["errors"][0]["code"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn every_refusal_is_registry_json_with_the_headers() {
    let limits = Limits { body: 1024, query: 1024, header: 2048, ..Limits::default() };
    let server = Server::start(limits, None).await;
    let long = "x".repeat(3000);
    let close = "host: r\r\nconnection: close\r\n";
    for (request, status) in [
        (format!("GET /nothing HTTP/1.1\r\n{close}\r\n"), 404),
        (format!("DELETE /v2/ HTTP/1.1\r\n{close}\r\n"), 405),
        (format!("POST /echo HTTP/1.1\r\n{close}content-length: 3000\r\n\r\n{long}"), 413),
        (
            format!(
                "POST /echo HTTP/1.1\r\n{close}transfer-encoding: chunked\r\n\r\nbb8\r\n{long}\r\n0\r\n\r\n"
            ),
            413,
        ),
        (format!("GET /v2/?{} HTTP/1.1\r\n{close}\r\n", "x".repeat(1025)), 414),
        (format!("GET /v2/ HTTP/1.1\r\n{close}h: {long}\r\n\r\n"), 431),
        (format!("GET /v2/ HTTP/1.1\r\n{close}{}\r\n", "h: x\r\n".repeat(120)), 431),
    ] {
        let answer = server.raw(request.clone()).await;
        assert_eq!(answer.status, status, "{request}: {answer:?}");
        assert_eq!(answer.code(), "UNSUPPORTED");
        assert!(answer.head.contains("x-ms-correlation-request-id: "), "{answer:?}");
        assert!(answer.head.contains("x-content-type-options: nosniff"), "{answer:?}");
        assert!(!answer.head.contains("strict-transport-security"), "{answer:?}");
    }
    let answer = server.get("/v2/", "").await;
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("docker-distribution-api-version: registry/2.0"), "{answer:?}");
    assert!(answer.head.contains("x-ms-ratelimit-remaining-calls-per-second: "), "{answer:?}");
}

#[tokio::test]
async fn what_is_far_too_large_is_not_read_to_its_end() {
    let server = Server::start(Limits::default(), None).await;
    let answer = server.get("/v2/", &format!("h: {}\r\n", "x".repeat(4_000_000))).await;
    assert!(matches!(answer.status, 0 | 431), "{answer:?}");
}

#[tokio::test]
async fn too_many_requests() {
    let limits = Limits { per_address: Rate { rate: 0.01, burst: 3 }, ..Limits::default() };
    let server = Server::start(limits, None).await;
    for _ in 0..3 {
        // A header that anybody may write changes nothing.
        assert_eq!(server.get("/v2/", "x-forwarded-for: 203.0.113.1\r\n").await.status, 200);
    }
    let answer = server.get("/v2/", "x-forwarded-for: 203.0.113.2\r\n").await;
    assert_eq!((answer.status, answer.code().as_str()), (429, "TOOMANYREQUESTS"));
    let wait = answer.head.lines().find_map(|line| line.strip_prefix("retry-after: ")).unwrap();
    assert!((1..=100).contains(&wait.parse::<u64>().unwrap()), "{answer:?}");
    assert_eq!(server.get("/readyz", "").await.status, 200, "a probe was counted");
}

#[tokio::test]
async fn a_request_that_does_not_end_is_given_up() {
    let request = Duration::from_millis(500);
    let server = Server::start(Limits { request, ..Limits::default() }, None).await;
    let answer = server.get("/never", "").await;
    assert_eq!((answer.status, answer.code().as_str()), (408, "UNSUPPORTED"));
    let body = server.raw("POST /echo HTTP/1.1\r\nhost: r\r\ncontent-length: 10\r\n\r\nabc").await;
    assert_eq!((body.status, body.code().as_str()), (408, "UNSUPPORTED"));
}

#[tokio::test]
async fn slow_clients_are_cut_off() {
    let server = Server::start(Limits::default(), None).await;
    for (begin, then) in [
        ("", ""),
        ("P", "P"),
        ("GET /v2/ HTTP/1.1\r\nhost: r\r\n", "h: x\r\n"),
        ("GET /v2/ HTTP/1.1\r\nhost: r\r\n\r\n", ""),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ""),
    ] {
        let address = server.address;
        let cut = tokio::task::spawn_blocking(move || {
            let mut stream = connect(address);
            stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
            stream.write_all(begin.as_bytes()).unwrap();
            let start = Instant::now();
            while start.elapsed() < PATIENCE {
                let read = stream.read(&mut [0; 4096]);
                let is_waiting = read.as_ref().is_err_and(|error| {
                    matches!(
                        error.kind(),
                        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                    )
                });
                let has_more = read.as_ref().is_ok_and(|read| *read > 0);
                if !(is_waiting || has_more) || stream.write_all(then.as_bytes()).is_err() {
                    return true;
                }
            }
            false
        });
        assert!(cut.await.unwrap(), "{begin:?} is still connected");
    }
}

#[tokio::test]
async fn connections_are_bounded() {
    // Of a peer that has no number of its own: with one, the second would wait for the first.
    let exempt_peers = Networks::parse(["127.0.0.1"]).unwrap();
    let limits = Limits { connections: 1, exempt_peers, ..Limits::default() };
    let server = Server::start(limits, None).await;
    let mut first = connect(server.address);
    first.write_all(b"GET /slow HTTP/1.1\r\nhost: r\r\n\r\n").unwrap();
    server.began.notified().await;
    assert_eq!(server.get("/v2/", "").await.status, 0);
    server.end.notify_one();
    drop(first);
    let start = Instant::now();
    while server.get("/v2/", "").await.status != 200 {
        assert!(start.elapsed() < PATIENCE, "the first connection was not given back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_request_that_has_begun_ends_after_the_stop() {
    let mut server = Server::start(Limits::default(), None).await;
    let address = server.address;
    let request = tokio::task::spawn_blocking(move || {
        let mut stream = connect(address);
        stream.write_all(b"GET /slow HTTP/1.1\r\nhost: r\r\n\r\n").unwrap();
        Answer::read(&mut stream)
    });
    server.began.notified().await;
    server.stop.take().unwrap().send(()).unwrap();
    let start = Instant::now();
    while StdStream::connect(address).is_ok() {
        assert!(start.elapsed() < PATIENCE, "new connections are still taken");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!server.serving.is_finished());
    server.end.notify_one();
    let answer = request.await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "slow"));
    tokio::time::timeout(PATIENCE, server.serving).await.unwrap().unwrap();
}

#[tokio::test]
async fn metrics_have_routes_and_no_paths() {
    let server = Server::start(Limits::default(), None).await;
    server.get("/v2/?account=secret-name", "").await;
    server.get("/secret-path", "").await;
    server.raw("INVENTED /v2/ HTTP/1.1\r\nhost: r\r\nconnection: close\r\n\r\n").await;
    metrics::token_issued("token");
    metrics::token_denied("wrong_password");
    metrics::engine_failed();
    metrics::rate_limited(metrics::LimitedBy::Principal);
    let text = server.get("/metrics", "").await.body;
    for line in [
        r#"scopegate_http_requests_total{method="GET",route="/v2/",status="200"}"#,
        r#"scopegate_http_requests_total{method="GET",route="none",status="404"}"#,
        r#"scopegate_http_requests_total{method="other",route="/v2/",status="405"}"#,
        r#"scopegate_http_request_seconds_bucket{method="GET",route="/v2/",le="0.001"}"#,
        r#"scopegate_tokens_issued_total{principal="token"}"#,
        r#"scopegate_token_denials_total{reason="wrong_password"}"#,
        r#"scopegate_rate_limited_total{by="principal"}"#,
        "scopegate_engine_failures_total",
        "scopegate_snapshot_revision 7",
        "scopegate_snapshot_age_seconds",
        "scopegate_tokens 3",
        "# HELP scopegate_tokens_issued_total",
    ] {
        assert!(text.contains(line), "no {line} in {text}");
    }
    assert!(!text.contains("secret-"), "{text}");
}

/// Writes a certificate for localhost and its key, and gives the certificate.
fn write_certificate(files: &TlsFiles) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let pem = made.cert.pem();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    std::fs::write(&files.certificate, &pem).unwrap();
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// One request over TLS: the answer, the version and what was agreed on. An error when the
/// certificate is not `trusted`.
fn over_tls(
    address: SocketAddr,
    trusted: &CertificateDer<'static>,
    protocol: &str,
) -> std::io::Result<(Answer, Option<Vec<u8>>)> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let name = ServerName::try_from("localhost").unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut socket = connect(address);
    while connection.is_handshaking() {
        connection.complete_io(&mut socket)?;
    }
    let agreed = connection.alpn_protocol().map(<[u8]>::to_vec);
    let mut stream = Stream::new(&mut connection, &mut socket);
    if protocol == "http/1.1" {
        stream.write_all(b"GET /v2/ HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        return Ok((Answer::read(&mut stream), agreed));
    }
    Ok((Answer { status: 0, head: String::new(), body: String::new() }, agreed))
}

#[tokio::test]
async fn a_renewed_certificate_is_used_and_a_broken_one_is_not() {
    install_provider();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let files = TlsFiles { certificate: at("cert.pem"), key: at("key.pem") };
    let first = write_certificate(&files);
    let tls = Arc::new(Certificate::open(files.clone()).unwrap());
    let server = Server::start(Limits::default(), Some(&tls)).await;
    let watched = Arc::clone(&tls);
    let watching = tokio::spawn(async move { watched.watch(Duration::from_millis(50)).await });
    let address = server.address;
    let ask = |trusted: &CertificateDer<'static>, protocol: &'static str| {
        let trusted = trusted.clone();
        let asked = tokio::task::spawn_blocking(move || over_tls(address, &trusted, protocol));
        async { asked.await.unwrap() }
    };
    let (answer, agreed) = ask(&first, "http/1.1").await.unwrap();
    assert_eq!((answer.status, agreed.as_deref()), (200, Some(&b"http/1.1"[..])));
    assert!(answer.head.contains("strict-transport-security: max-age="), "{answer:?}");
    let (_, agreed) = ask(&first, "h2").await.unwrap();
    assert_eq!(agreed.as_deref(), Some(&b"h2"[..]));

    std::fs::write(&files.certificate, "rubbish").unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(ask(&first, "http/1.1").await.unwrap().0.status, 200);

    let second = write_certificate(&files);
    let start = Instant::now();
    while ask(&second, "http/1.1").await.is_err() {
        assert!(start.elapsed() < PATIENCE, "the renewed certificate is not used");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(ask(&first, "http/1.1").await.is_err());
    // Nobody gets an answer without TLS.
    assert!(server.get("/v2/", "").await.status != 200);
    watching.abort();
}

/// A collector that keeps what it gets.
async fn collector() -> (SecretUrl, Arc<Mutex<Vec<u8>>>) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&kept);
    let router = Router::new().route(
        "/v1/traces",
        post(move |body: Bytes| async move { keep.lock().unwrap().extend_from_slice(&body) }),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, router).await });
    (SecretUrl::parse(&format!("http://{address}")).unwrap(), kept)
}

/// Asks a layered router under a subscriber that has the traces alone.
async fn traced(traces: Traces) -> Duration {
    use tower::ServiceExt as _;
    use tracing_subscriber::layer::SubscriberExt as _;
    let subscriber = tracing_subscriber::registry().with(traces.layer());
    let guard = Arc::new(Guard::new(Limits::default()));
    let router = Router::new().route("/v2/{name}", get(|| async { "ok" }));
    let router = layered(router, &guard, Reached::default());
    let start = Instant::now();
    {
        let _default = tracing::subscriber::set_default(subscriber);
        for _ in 0..100 {
            let request = axum::http::Request::get("/v2/secret-name?password=secret")
                .header("x-ms-correlation-request-id", "7d3f1c2e-0000-4a5b-8c9d-0123456789ab")
                .body(axum::body::Body::empty())
                .unwrap();
            assert_eq!(router.clone().oneshot(request).await.unwrap().status(), 200);
        }
    }
    let took = start.elapsed();
    traces.stop().await;
    took
}

#[tokio::test]
async fn traces_arrive_at_the_collector() {
    install_provider();
    let (endpoint, kept) = collector().await;
    traced(Traces::start(&endpoint).unwrap()).await;
    let kept = kept.lock().unwrap();
    let has = |text: &str| kept.windows(text.len()).any(|window| window == text.as_bytes());
    for text in [
        "scopegate-server",
        "GET /v2/{name}",
        "http.route",
        "http.request.method",
        "http.response.status_code",
        "7d3f1c2e-0000-4a5b-8c9d-0123456789ab",
    ] {
        assert!(has(text), "no {text} in {:?}", String::from_utf8_lossy(&kept));
    }
    assert!(!has("secret"), "{:?}", String::from_utf8_lossy(&kept));
}

#[tokio::test]
async fn a_collector_that_is_gone_disturbs_nobody() {
    install_provider();
    let address = StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoint = SecretUrl::parse(&format!("http://{address}")).unwrap();
    let took = traced(Traces::start(&endpoint).unwrap()).await;
    assert!(took < PATIENCE, "{took:?}");
}

/// The real program, with everything from a file.
#[test]
fn the_program_obeys_file_environment_and_signals() {
    let folder = tempfile::tempdir().unwrap();
    let free = || StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (address, metrics) = (free(), free());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (collector, spans) = runtime.block_on(collector());
    let file = folder.path().join("scopegate.yaml");
    let data = folder.path().join("data");
    std::fs::write(
        &file,
        format!(
            "data: {}\nlisten: {address}\nissuer: file\nregistry: {{service: file}}\nmetrics: {{listen: {metrics}}}\notlp: {{endpoint: '{}'}}\n",
            data.display(),
            collector.expose(),
        ),
    )
    .unwrap();
    let log = folder.path().join("log");
    let mut server = std::process::Command::new(env!("CARGO_BIN_EXE_scopegate-server"))
        .args(["serve", "--log-json", "--service", "flag"])
        .env("SCOPEGATE_CONFIG", &file)
        .env("SCOPEGATE_REGISTRY__SERVICE", "environment")
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    wait_for(metrics, &log);
    let ask = |address, target: &str| {
        let mut stream = connect(address);
        write!(stream, "GET {target} HTTP/1.1\r\nhost: r\r\nconnection: close\r\n\r\n").unwrap();
        Answer::read(&mut stream)
    };
    let challenge = ask(address, "/v2/");
    assert!(challenge.head.contains(r#"service="flag""#), "{challenge:?}");
    assert_eq!(ask(address, "/metrics").status, 404);
    assert_eq!(ask(address, "/readyz").body, r#"{"status":"ready"}"#);
    assert_eq!(ask(metrics, "/healthz").body, "ok\n");
    assert!(ask(metrics, "/metrics").body.contains("scopegate_http_requests_total"));
    let pid = server.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let start = Instant::now();
    let status = loop {
        if let Some(status) = server.try_wait().unwrap() {
            break status;
        }
        assert!(start.elapsed() < PATIENCE, "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(status.success(), "{}", std::fs::read_to_string(&log).unwrap());
    let spans = spans.lock().unwrap();
    let spans = String::from_utf8_lossy(&spans);
    assert!(spans.contains("GET /v2/") && spans.contains("http.route"), "{spans}");
}

fn wait_for(address: SocketAddr, log: &Path) {
    let start = Instant::now();
    while StdStream::connect(address).is_err() {
        let log = || std::fs::read_to_string(log).unwrap_or_default();
        assert!(start.elapsed() < PATIENCE, "nobody answers: {}", log());
        std::thread::sleep(Duration::from_millis(20));
    }
}
