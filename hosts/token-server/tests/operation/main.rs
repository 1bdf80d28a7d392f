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

mod bounds;
mod counters;
mod program;
mod tls;
mod traces;

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream as StdStream};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::routing::{get, post};
use axum::{Json, Router};
use scopegate_host::tls::Certificate;
use scopegate_server::testing::app::readiness::Readiness;
use scopegate_server::testing::config::Limits;
use scopegate_server::testing::domain::guard::Guard;
use scopegate_server::testing::http::headers::Reached;
use scopegate_server::testing::http::health;
use scopegate_server::testing::http::serve::{Bounds, layered, serve};
use scopegate_server::testing::http::tls::Tls;
use scopegate_server::testing::telemetry::metrics;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

/// How long a test waits for what should come at once: machines are busy.
const TIMEOUT: Duration = Duration::from_secs(30);

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
            grace: TIMEOUT,
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
        let tls = tls.cloned().map(|certificate| Tls::new(certificate, None).unwrap());
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
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream.set_write_timeout(Some(TIMEOUT)).unwrap();
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
