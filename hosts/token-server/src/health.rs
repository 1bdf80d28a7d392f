//! `GET /healthz`, which says that the process lives, `GET /readyz`, which says whether it can
//! issue tokens, and `GET /metrics`.
//!
//! Requests read a snapshot and not the database, so a database that is gone takes no token away at
//! once. Until `snapshot.serveFor` is over the server is degraded: it issues tokens by what it last
//! read, which may be more than an operator has meanwhile allowed. After that it is not ready and
//! issues none. Whoever asks learns the state and since when, and nothing about the database
//! itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;

use crate::answer::json;
use crate::clock;
use crate::telemetry::metrics;

/// How old a snapshot may be that counts as new, in seconds. The database is asked every second,
/// and may take five to answer.
const FRESH: i64 = 10;
/// A time that has not come.
const NEVER: i64 = i64::MIN;

/// What is known about the snapshot and the database.
#[derive(Debug)]
pub struct Readiness {
    serve_for: i64,
    /// When the database last said that the snapshot is what it holds.
    confirmed: AtomicI64,
    /// Since when the database does not answer.
    gone_since: AtomicI64,
    /// Whether this server's identity providers are not those that are kept.
    has_other_providers: AtomicBool,
}

/// Whether tokens are issued, and from what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// From what the database holds.
    Ready,
    /// From what it held so many seconds ago.
    Degraded {
        /// Since when the database does not answer.
        gone_since: i64,
        /// The age of the snapshot, in seconds.
        snapshot_age: i64,
    },
    /// No more, or not yet.
    Unready {
        /// The age of the snapshot, in seconds. Nothing when none was ever read.
        snapshot_age: Option<i64>,
    },
}

impl Readiness {
    /// Nothing was read yet.
    #[must_use]
    pub fn new(serve_for: Duration) -> Self {
        Self {
            serve_for: i64::try_from(serve_for.as_secs()).unwrap_or(i64::MAX),
            confirmed: AtomicI64::new(NEVER),
            gone_since: AtomicI64::new(NEVER),
            has_other_providers: AtomicBool::new(false),
        }
    }

    /// The database answers, and the snapshot is what it holds. `revision` and `tokens` are for the
    /// metrics.
    pub fn confirm(&self, revision: i64, tokens: usize, now: i64) {
        self.confirmed.store(now, Ordering::Relaxed);
        self.gone_since.store(NEVER, Ordering::Relaxed);
        metrics::snapshot(revision, tokens);
    }

    /// Notes whether this server's identity providers are those that are kept. Nothing is issued to
    /// identities while they are not.
    pub fn note_providers(&self, are_kept: bool) {
        self.has_other_providers.store(!are_kept, Ordering::Relaxed);
    }

    /// Whether this server's identity providers are not those that are kept.
    #[must_use]
    pub fn has_other_providers(&self) -> bool {
        self.has_other_providers.load(Ordering::Relaxed)
    }

    /// The database does not answer, or holds what cannot be compiled.
    pub fn lose(&self, now: i64) {
        // The first time counts.
        let _ = self.gone_since.compare_exchange(NEVER, now, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// The state at a time.
    #[must_use]
    pub fn health(&self, now: i64) -> Health {
        let Some(snapshot_age) = self.snapshot_age(now) else {
            return Health::Unready { snapshot_age: None };
        };
        if snapshot_age > self.serve_for {
            return Health::Unready { snapshot_age: Some(snapshot_age) };
        }
        match self.gone_since.load(Ordering::Relaxed) {
            NEVER if snapshot_age <= FRESH => Health::Ready,
            // Nobody has said that the database is gone, and nobody has looked: that is no better.
            NEVER => {
                Health::Degraded { gone_since: now.saturating_sub(snapshot_age), snapshot_age }
            }
            gone_since => Health::Degraded { gone_since, snapshot_age },
        }
    }

    /// Whether the database did not answer when somebody last asked.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.gone_since.load(Ordering::Relaxed) != NEVER
    }

    /// Whether tokens may be issued. The token endpoint asks before each.
    #[must_use]
    pub fn may_issue(&self, now: i64) -> bool {
        !matches!(self.health(now), Health::Unready { .. })
    }

    /// How long ago the database said that the snapshot is what it holds, in seconds.
    #[must_use]
    pub fn snapshot_age(&self, now: i64) -> Option<i64> {
        match self.confirmed.load(Ordering::Relaxed) {
            NEVER => None,
            confirmed => Some(now.saturating_sub(confirmed).max(0)),
        }
    }
}

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

/// What is said of a server whose identity providers are not those that are kept.
const OTHER_PROVIDERS: &str = "no tokens are issued to identities: another server has started with other providers or bindings";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    database_gone_since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot_age_seconds: Option<i64>,
    /// Why identities get nothing.
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
        // Nobody looks any more.
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
