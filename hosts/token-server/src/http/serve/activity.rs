//! Whether a connection is worth keeping: whether a request is on its way, and since when there is
//! none.
//!
//! The library for HTTP/2 keeps a connection for as long as something moves on it, a PING for
//! example. Here only requests count: the service of a connection notes when one begins, and the
//! body of its answer when it ends.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Instant;
use tower_service::Service;

/// What a connection's stream and its service both know.
#[derive(Debug)]
pub(super) struct Activity(Mutex<State>);

#[derive(Debug)]
struct State {
    requests: usize,
    quiet_since: Instant,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State { requests: 0, quiet_since: Instant::now() }))
    }

    /// How long nobody has asked for anything on this connection.
    pub(super) fn quiet_for(&self) -> Duration {
        self.with(|state| match state.requests {
            0 => state.quiet_since.elapsed(),
            _ => Duration::ZERO,
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        // A thread that ended with it left two numbers, which are good.
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        work(&mut state)
    }
}

/// One request on its way.
#[derive(Debug)]
pub(super) struct Underway(Arc<Activity>);

impl Underway {
    pub(super) fn begin(activity: &Arc<Activity>) -> Self {
        activity.with(|state| state.requests += 1);
        Self(Arc::clone(activity))
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.with(|state| {
            state.requests = state.requests.saturating_sub(1);
            state.quiet_since = Instant::now();
        });
    }
}

/// A connection's service that notes its requests.
#[derive(Clone, Debug)]
pub(super) struct Noting<S> {
    pub(super) service: S,
    pub(super) activity: Arc<Activity>,
}

impl<S, B> Service<Request<B>> for Noting<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future =
        Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send + 'static>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let underway = Underway::begin(&self.activity);
        let answered = self.service.call(request);
        Box::pin(async move {
            let answer = answered.await?;
            Ok(answer.map(|body| Body::new(Ending { body, _underway: underway })))
        })
    }
}

/// The body of an answer, with whose end its request ends.
struct Ending {
    body: Body,
    _underway: Underway,
}

impl HttpBody for Ending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
