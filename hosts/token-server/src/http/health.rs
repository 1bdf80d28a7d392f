//! `GET /healthz` for liveness, `GET /readyz` for whether the server can issue tokens, and `GET
//! /metrics`.
//!
//! [`readiness`](crate::app::readiness) defines ready. The answer is the state and since when, and
//! nothing about the database itself.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;

use crate::app::readiness::{Health, Readiness};
use crate::clock;
use crate::http::answer::json;
use crate::telemetry::metrics;

/// The two routes, for the main address and for that of the metrics.
pub fn routes(readiness: Arc<Readiness>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(readiness)
}

/// `GET /readyz`
async fn ready(State(readiness): State<Arc<Readiness>>) -> Response {
    let health = readiness.health(clock::now());
    let mut report = Report::new(health);
    report.identities = readiness.has_other_providers().then_some(OTHER_PROVIDERS);
    json(status(health), &report)
}

fn status(health: Health) -> StatusCode {
    match health {
        Health::Ready | Health::Degraded { .. } => StatusCode::OK,
        Health::Unready { .. } => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The text for a server whose identity providers are not the stored ones.
const OTHER_PROVIDERS: &str = "no tokens are issued to identities: another server has started with other providers or bindings";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    database_gone_since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot_age_seconds: Option<i64>,
    /// Why identities get no tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    identities: Option<&'static str>,
}

impl Report {
    fn new(health: Health) -> Self {
        let (status, since, snapshot_age_seconds) = match health {
            Health::Ready => ("ready", None, None),
            Health::Degraded { gone_since, snapshot_age } => {
                ("degraded", Some(gone_since), Some(snapshot_age))
            }
            Health::Unready { snapshot_age } => ("unready", None, snapshot_age),
        };
        Self {
            status,
            database_gone_since: since.map(clock::rfc3339),
            snapshot_age_seconds,
            identities: None,
        }
    }
}

/// `GET /metrics`
pub fn counters(handle: PrometheusHandle, readiness: Arc<Readiness>) -> Router {
    Router::new().route("/metrics", get(render)).with_state((handle, readiness))
}

async fn render(State((handle, readiness)): State<(PrometheusHandle, Arc<Readiness>)>) -> Response {
    if let Some(age) = readiness.snapshot_age(clock::now()) {
        metrics::snapshot_age(age);
    }
    let content_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (content_type, handle.render()).into_response()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[track_caller]
    fn check(readiness: &Readiness, now: i64, status_code: u16, body: &str) {
        let health = readiness.health(now);
        assert_eq!(status(health).as_u16(), status_code);
        assert_eq!(serde_json::to_string(&Report::new(health)).unwrap(), body);
        assert_eq!(readiness.may_issue(now), status_code == 200);
    }

    #[test]
    fn from_start_to_recovery() {
        let readiness = Readiness::new(Duration::from_secs(100));
        check(&readiness, 0, 503, r#"{"status":"unready"}"#);
        readiness.confirm(7, 2, 10);
        check(&readiness, 20, 200, r#"{"status":"ready"}"#);
        // The last confirmation is too old.
        check(
            &readiness,
            21,
            200,
            r#"{"status":"degraded","databaseGoneSince":"1970-01-01T00:00:10Z","snapshotAgeSeconds":11}"#,
        );
        check(&readiness, 111, 503, r#"{"status":"unready","snapshotAgeSeconds":101}"#);
        readiness.confirm(7, 2, 1000);
        readiness.lose(1001);
        readiness.lose(1002);
        let degraded = |age: i64| {
            format!(
                r#"{{"status":"degraded","databaseGoneSince":"1970-01-01T00:16:41Z","snapshotAgeSeconds":{age}}}"#
            )
        };
        check(&readiness, 1050, 200, &degraded(50));
        check(&readiness, 1100, 200, &degraded(100));
        check(&readiness, 1101, 503, r#"{"status":"unready","snapshotAgeSeconds":101}"#);
        readiness.confirm(8, 2, 1200);
        check(&readiness, 1200, 200, r#"{"status":"ready"}"#);
    }

    #[test]
    fn a_database_that_never_answered_is_not_degraded() {
        let readiness = Readiness::new(Duration::MAX);
        readiness.lose(5);
        check(&readiness, 6, 503, r#"{"status":"unready"}"#);
    }
}
