//! Every request as a span, a count and a time.
//!
//! The span has the pattern of the route and never the path or the query: names are in paths, and
//! old clients put passwords in queries. A client's own trace is not continued, since any client
//! could then control sampling.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::response::Response;
use tracing::Instrument as _;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::context::Context;
use crate::telemetry::{REQUESTS, metrics, traces};

/// The label of a path without a route.
const NO_ROUTE: &str = "none";

/// Measures a request in a span of its own.
pub(crate) async fn observe(
    request: Request,
    next: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let began = Instant::now();
    let context = Context::of(request.extensions());
    let method = known_method(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    let id = &*context.correlation_id;
    let span = tracing::info_span!(
        target: REQUESTS,
        "request",
        otel.name = Empty,
        otel.kind = Empty,
        correlation_id = id,
    );
    // The log writes every field of a span, so no field is only for traces.
    if traces::are_sent() {
        span.record("otel.name", format!("{method} {route}")).record("otel.kind", "server");
        span.set_attribute("http.request.method", method);
        span.set_attribute("http.route", route.to_owned());
    }
    let response = next(request).instrument(span.clone()).await;
    let status = response.status();
    span.set_attribute("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.set_status(opentelemetry::trace::Status::error(""));
    }
    let took = began.elapsed();
    metrics::answered(method, route, status.as_u16(), took);
    span.in_scope(|| {
        tracing::debug!(status = status.as_u16(), microseconds = took.as_micros(), "answered");
    });
    response
}

/// The method, or `other`: a client may invent any.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
