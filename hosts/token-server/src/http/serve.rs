//! Serving: a router behind its limits, on an address, with or without TLS, until the process is
//! asked to end.
//!
//! What bounds a client, from the outside in:
//!
//! | | |
//! |---|---|
//! | connections at one time | the next one is closed at once |
//! | connections of one peer | the next one waits for five seconds, and is closed then ([`peers`](scopegate_host::peers)) |
//! | TLS handshake | 10 seconds |
//! | the first bytes, and each head of a request with HTTP/1 | [`Bounds::head_within`]; also the maximum idle time of a connection |
//! | no request on a connection, whatever bytes arrive | [`Bounds::head_within`] |
//! | no bytes on a connection | [`Bounds::idle`] |
//! | size of a head | twice what [`limits`](crate::http::limits) refuses with a readable answer |
//! | streams of one connection with HTTP/2 | 100 |
//! | a request with its body | `limits.request` |

mod activity;
mod certified;
mod connection;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum_server::tls_rustls::RustlsAcceptor;
use axum_server::{Handle, Server};
use hyper_util::rt::TokioTimer;
use scopegate_host::peers::Peers;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

use crate::domain::guard::Guard;
use crate::http::answer;
use crate::http::headers::{Reached, complete};
use crate::http::limits::{MAX_HEADERS, admit};
use crate::http::observe::observe;
use crate::http::tls::Tls;
use certified::Certified;
use connection::Bounded;

/// What bounds a connection.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// How long the head of a request may take to arrive.
    pub head_within: Duration,
    /// The maximum time without bytes.
    pub idle: Duration,
    /// How long requests have to end after the process is asked to.
    pub grace: Duration,
    /// The largest head that is read, in bytes.
    pub head: usize,
    /// The connections, in total and of one peer.
    pub peers: Arc<Peers>,
}

impl Bounds {
    /// The bounds for a guard's limits.
    #[must_use]
    pub fn new(guard: &Guard) -> Self {
        let limits = guard.limits();
        Self {
            peers: Arc::clone(&guard.peers),
            head_within: Duration::from_secs(10),
            // No bytes move while a request is processed, which is not a reason to close.
            idle: Duration::from_secs(60).max(limits.request.saturating_mul(2)),
            grace: Duration::from_secs(30),
            // So that a head slightly over the limit is read and refused with a message.
            head: 2 * (limits.query + limits.header),
        }
    }
}

/// Adds the common layers to a router: limits, headers, errors as JSON, a span and a count of each
/// request.
///
/// A router inside may have a larger body limit for its own routes.
pub fn layered(router: Router, guard: &Arc<Guard>, reached: Reached) -> Router {
    router.layer(from_fn_with_state((Arc::clone(guard), reached), around))
}

/// Life of a request, from the outside in.
///
/// One layer of the router for all of these steps: a router clones the inside of each layer for
/// each request. Six layers took 8,900 instructions more, of the 104,000 of a token without its
/// signature.
async fn around(
    State((guard, reached)): State<(Arc<Guard>, Reached)>,
    request: Request,
    next: Next,
) -> Response {
    let limits = guard.limits();
    let inside = async |mut request: Request| {
        DefaultBodyLimit::max(limits.body).apply(&mut request);
        let answered = timeout(limits.request, next.run(request)).await;
        answered.unwrap_or_else(|_| answer::empty(StatusCode::REQUEST_TIMEOUT))
    };
    let guarded = async |request| answer::fill(admit(&guard, request, inside).await);
    complete(&reached, request, async |request| observe(request, guarded).await).await
}

/// Serves until `stop` resolves, then lets open requests end.
///
/// # Errors
///
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Tls>,
    router: Router,
    bounds: Bounds,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let handle = Handle::new();
    let bounded = Bounded::new(&bounds);
    let mut server = Server::<SocketAddr>::from_listener(listener).handle(handle.clone());
    let builder = server.http_builder();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head_within)
        .max_headers(2 * MAX_HEADERS)
        .max_buf_size(bounds.head.max(MIN_BUFFER));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(100)
        .max_header_list_size(u32::try_from(bounds.head).unwrap_or(u32::MAX));
    let make = router.into_make_service_with_connect_info::<SocketAddr>();
    let stop = async {
        stop.await;
        handle.graceful_shutdown(Some(bounds.grace));
    };
    match tls {
        Some(tls) => {
            let acceptor = RustlsAcceptor::new(tls.config).acceptor(bounded);
            match tls.clients {
                Some(clients) => {
                    let acceptor = Certified::new(acceptor, clients);
                    until(server.acceptor(acceptor).serve(make), stop).await
                }
                None => until(server.acceptor(acceptor).serve(make), stop).await,
            }
        }
        None => until(server.acceptor(bounded).serve(make), stop).await,
    }
}

/// The smallest buffer that the HTTP/1 library accepts.
const MIN_BUFFER: usize = 8192;

async fn until(
    serving: impl Future<Output = io::Result<()>>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        ended = &mut serving => return ended,
        () = stop => {}
    }
    serving.await
}

/// Resolves when the process is asked to end.
pub(crate) async fn stopped() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
