//! Metrics, whether the gateway lives and is ready, and what the registry says that happened, on an
//! address of their own.
//!
//! A connection has so much time in all, so that who sends half a request holds it no longer.
//!
//! `/readyz` is 503 while the signing keys or the revocation feed are stale, and until the index
//! was read: balancers send requests elsewhere then.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::serve::Listener;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep};

use crate::data_plane::Envelope;
use crate::proxy::Gateway;

/// How long a connection may last. A client that asks on it again and again connects again then.
const CONNECTION: Duration = Duration::from_secs(120);
/// The longest message of a registry, in bytes.
const MAX_EVENTS: usize = 1024 * 1024;

/// Starts counting.
///
/// # Errors
///
/// When a recorder is installed already.
pub(crate) fn recorder() -> anyhow::Result<PrometheusHandle> {
    let buckets = [1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0];
    PrometheusBuilder::new()
        .set_buckets(&buckets)
        .and_then(PrometheusBuilder::install_recorder)
        .context("metrics")
}

/// Serves until the process ends.
///
/// # Errors
///
/// When the address cannot be had.
pub(crate) async fn serve(
    listen: SocketAddr,
    gateway: Arc<Gateway>,
    metrics: PrometheusHandle,
) -> anyhow::Result<()> {
    let listener = TcpListener::bind(listen).await.with_context(|| format!("admin: {listen}"))?;
    Ok(axum::serve(Timed { listener, within: CONNECTION }, routes(gateway, metrics)).await?)
}

/// A listener whose connections end in time.
struct Timed {
    listener: TcpListener,
    within: Duration,
}

/// A connection that is read until its time is up.
struct Ending {
    stream: TcpStream,
    end: Pin<Box<Sleep>>,
}

impl Listener for Timed {
    type Io = Ending;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Ending, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        (Ending { stream, end: Box::pin(sleep(self.within)) }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl AsyncRead for Ending {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.end.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Ending {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.end.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

fn routes(gateway: Arc<Gateway>, metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/metrics", get(move || async move { metrics.render() }))
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/events", post(events).layer(DefaultBodyLimit::max(MAX_EVENTS)))
        .with_state(gateway)
}

/// What the registry says that happened. Nothing of it is believed: it is asked about it.
async fn events(State(gateway): State<Arc<Gateway>>, body: Bytes) -> StatusCode {
    let Some(data_plane) = &gateway.data_plane else { return StatusCode::NOT_FOUND };
    let Ok(envelope) = serde_json::from_slice::<Envelope>(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    // A registry sends again what it has no good answer to.
    if data_plane.handle(envelope).await { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

async fn ready(State(gateway): State<Arc<Gateway>>) -> (StatusCode, String) {
    if gateway.data_plane.as_ref().is_some_and(|data_plane| !data_plane.is_ready()) {
        return (StatusCode::SERVICE_UNAVAILABLE, "the index was not read yet\n".to_owned());
    }
    match gateway.stale() {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(stale) => (StatusCode::SERVICE_UNAVAILABLE, format!("{stale}\n")),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_connection_ends_in_time() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new()
            .route("/healthz", get(|| async { "alive\n" }))
            .route("/events", post(|_: Bytes| async { "taken\n" }));
        let timed = Timed { listener, within: Duration::from_millis(500) };
        tokio::spawn(async move { axum::serve(timed, routes).await });
        for (request, expected) in [
            ("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200"),
            ("GET /heal", ""),
            ("POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx", ""),
            ("", ""),
        ] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            let ended = timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
            assert!(ended.is_ok(), "{request}");
            let answer = String::from_utf8(answer).unwrap();
            assert!(!expected.is_empty() || !answer.contains(" 200"), "{request}: {answer}");
            assert!(answer.starts_with(expected), "{request}: {answer}");
        }
    }
}
