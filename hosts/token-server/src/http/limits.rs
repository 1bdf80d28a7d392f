//! The limits that are checked on a request's head, before its body is read.
//!
//! | status | when |
//! |---|---|
//! | 408 | the request took longer than it may |
//! | 413 | the body is longer than `limits.body` |
//! | 414 | the query is longer than `limits.query` |
//! | 429 | too many requests from the address, or in the name |
//! | 431 | the headers are longer than `limits.header` |
//!
//! How often is counted in [`guard`](crate::domain::guard); time and body are bounded where
//! connections are [served](crate::http::serve).

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::Response;
use scopegate_host::peers::Slot;
use scopegate_host::rate::TooMany;

use super::answer::{empty, too_many};
use super::context::Context;
use super::playground;
use crate::config::Limits;
use crate::domain::guard::Guard;

/// The service's header for the number of requests that the client may still send.
const REMAINING: HeaderName = HeaderName::from_static("x-ms-ratelimit-remaining-calls-per-second");
/// Header fields of one request. Real clients send about ten.
pub(crate) const MAX_HEADERS: usize = 100;

/// Refuses a request by its head, before its body is read, or calls the next layer.
pub(crate) async fn admit(
    guard: &Guard,
    request: Request,
    next: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    if let Err(status) = check_size(guard.limits(), &request) {
        return empty(status);
    }
    if is_free(&request) {
        return next(request).await;
    }
    let context = Context::of(request.extensions());
    let remaining = match guard.check_address(context.address) {
        Ok(remaining) => remaining,
        Err(error) => return too_many(error),
    };
    let _slot = match slot(guard, &context).await {
        Ok(slot) => slot,
        Err(error) => return too_many(error),
    };
    let mut response = next(request).await;
    if let Some(remaining) = remaining {
        response.headers_mut().insert(REMAINING, remaining.into());
    }
    response
}

/// Whether a request is exempt: probes must not fail because of other clients, and a page is
/// several files at once.
fn is_free(request: &Request) -> bool {
    let route = request.extensions().get::<MatchedPath>();
    matches!(request.uri().path(), "/healthz" | "/readyz")
        || route.is_some_and(|route| playground::has(route.as_str()))
}

fn check_size(limits: &Limits, request: &Request) -> Result<(), StatusCode> {
    if request.uri().query().unwrap_or_default().len() > limits.query {
        return Err(StatusCode::URI_TOO_LONG);
    }
    if header_bytes(request.headers()) > limits.header || request.headers().len() > MAX_HEADERS {
        return Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    Ok(())
}

/// Names and values with four bytes a line for the separators, as in HTTP/1.
fn header_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

/// A permit for a forwarded request, held until it is answered. A direct request is bounded by its
/// connection's slot.
async fn slot(guard: &Guard, context: &Context) -> Result<Option<Slot>, TooMany> {
    if !context.is_forwarded {
        return Ok(None);
    }
    guard.slot(context.address).await.map(Some)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    /// Each client behind a proxy has its own limit of concurrent requests, and the proxy has the
    /// sum.
    #[tokio::test(start_paused = true)]
    async fn requests_by_way_of_a_proxy_are_bounded_by_client() {
        let limits = Limits { connections: 100, connections_per_peer: 2, ..Limits::default() };
        let guard = Guard::new(limits);
        let of = |address: &str, is_forwarded| {
            let address = address.parse().unwrap();
            Context { address, is_forwarded, ..Context::default() }
        };
        let (one, other) = (of("203.0.113.1", true), of("203.0.113.2", true));
        let slots = [slot(&guard, &one).await, slot(&guard, &one).await];
        assert!(slots.iter().all(Result::is_ok));
        assert_eq!(slot(&guard, &one).await.err(), Some(TooMany { retry_after: 1 }));
        assert!(slot(&guard, &other).await.is_ok());
        assert!(slot(&guard, &of("203.0.113.1", false)).await.is_ok());
        drop(slots);
        assert!(slot(&guard, &one).await.is_ok());
    }

    #[test]
    fn sizes() {
        let limits = Limits::default();
        let query = |length: usize| format!("/oauth2/token?{}", "x".repeat(length));
        for (target, header, expected) in [
            (query(limits.query), 0, Ok(())),
            (query(limits.query + 1), 0, Err(StatusCode::URI_TOO_LONG)),
            ("/".into(), limits.header - 5, Ok(())),
            ("/".into(), limits.header - 4, Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)),
        ] {
            let request = Request::get(target).header("h", "x".repeat(header));
            assert_eq!(check_size(&limits, &request.body(Body::empty()).unwrap()), expected);
        }
        let request = (0..=MAX_HEADERS)
            .fold(Request::get("/"), |request, index| request.header(format!("h{index}"), "x"));
        let request = request.body(Body::empty()).unwrap();
        let refused = Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        assert_eq!(check_size(&limits, &request), refused);
    }
}
