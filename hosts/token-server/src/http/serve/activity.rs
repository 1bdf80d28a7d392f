//! The activity of a connection: whether it has an open request, and since when it has none.
//!
//! The HTTP/2 library keeps a connection while any frame arrives, a PING for example. Here only
//! requests count: the service of a connection records when one begins, and the body of its answer
//! when it ends.

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

/// The state that a connection's stream and its service share.
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

    /// How long this connection has been without a request.
    pub(super) fn quiet_for(&self) -> Duration {
        self.with(|state| match state.requests {
            0 => state.quiet_since.elapsed(),
            _ => Duration::ZERO,
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        // A panic under the lock leaves two valid numbers.
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        work(&mut state)
    }
}

/// One open request.
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

/// A connection's service that records its requests.
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

/// The body of an answer; the request ends with it.
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
