//! Metrics in Prometheus' text form.
//!
//! | metric | labels | counts |
//! |---|---|---|
//! | `scopegate_http_requests_total` | method, route, status | answers |
//! | `scopegate_http_request_seconds` | method, route | how long they took |
//! | `scopegate_tokens_issued_total` | principal | access tokens, by kind of principal |
//! | `scopegate_token_denials_total` | reason | refused token requests |
//! | `scopegate_rate_limited_total` | by | requests beyond a limit |
//! | `scopegate_engine_failures_total` | | failed decisions |
//! | `scopegate_snapshot_revision` | | the revision of the snapshot |
//! | `scopegate_snapshot_age_seconds` | | how long ago the database confirmed it |
//! | `scopegate_tokens` | | tokens in the snapshot |
//!
//! Labels come from fixed lists in the program: a route is a pattern and never a path, so a client
//! cannot create a series, and no name or secret can be a label.

use std::sync::OnceLock;
use std::time::Duration;

use ::metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use anyhow::bail;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::time::interval;

const REQUESTS: &str = "scopegate_http_requests_total";
const SECONDS: &str = "scopegate_http_request_seconds";
const ISSUED: &str = "scopegate_tokens_issued_total";
const DENIED: &str = "scopegate_token_denials_total";
const LIMITED: &str = "scopegate_rate_limited_total";
const ENGINE: &str = "scopegate_engine_failures_total";
const REVISION: &str = "scopegate_snapshot_revision";
const AGE: &str = "scopegate_snapshot_age_seconds";
const TOKENS: &str = "scopegate_tokens";

/// Bounds of the histogram, in seconds. A token takes a millisecond; a chosen password, fifty.
const BUCKETS: [f64; 11] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0, 10.0];
/// The library keeps each measured time until a scrape, or until this interval has passed.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Which limit was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitedBy {
    /// The limit of an address.
    Address,
    /// The limit of a name.
    Principal,
}

/// Installs the recorder of this process. A second call returns the same one.
///
/// # Errors
///
/// When another recorder is installed.
pub fn install() -> anyhow::Result<PrometheusHandle> {
    static INSTALLED: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| {
        let recorder =
            PrometheusBuilder::new().set_buckets(&BUCKETS).unwrap_or_default().build_recorder();
        let handle = recorder.handle();
        ::metrics::set_global_recorder(recorder).ok()?;
        describe();
        Some(handle)
    });
    match installed {
        Some(handle) => Ok(handle.clone()),
        None => bail!("another recorder of metrics is installed"),
    }
}

/// Bounds the stored measurements between scrapes. Never returns.
pub async fn run(handle: PrometheusHandle) {
    let mut ticks = interval(UPKEEP_INTERVAL);
    loop {
        ticks.tick().await;
        handle.run_upkeep();
    }
}

/// The age of the snapshot that tokens are issued from, in seconds.
pub fn snapshot_age(seconds: i64) {
    // Exact for the next eighty-five million years.
    gauge!(AGE).set(seconds as f64);
}

/// Counts an answer. `route` is a pattern of the router.
pub fn answered(method: &'static str, route: &str, status: u16, took: Duration) {
    let labels = [("method", method.to_owned()), ("route", route.to_owned())];
    histogram!(SECONDS, &labels).record(took.as_secs_f64());
    let [method, route] = labels;
    counter!(REQUESTS, &[method, route, ("status", status.to_string())]).increment(1);
}

/// Counts an access token for a kind of principal: `token`, `admin`, `service_principal`,
/// `identity` or `anonymous`.
pub fn token_issued(principal: &'static str) {
    counter!(ISSUED, "principal" => principal).increment(1);
}

/// Counts a refused token request, with a reason from a short list.
pub fn token_denied(reason: &'static str) {
    counter!(DENIED, "reason" => reason).increment(1);
}

/// Counts a request beyond a limit.
pub fn rate_limited(by: LimitedBy) {
    let by = match by {
        LimitedBy::Address => "address",
        LimitedBy::Principal => "principal",
    };
    counter!(LIMITED, "by" => by).increment(1);
}

/// Counts a failed decision.
pub fn engine_failed() {
    counter!(ENGINE).increment(1);
}

/// Sets the gauges of the snapshot.
pub fn snapshot(revision: i64, tokens: usize) {
    gauge!(REVISION).set(revision as f64);
    gauge!(TOKENS).set(tokens as f64);
}

fn describe() {
    describe_counter!(REQUESTS, "Answers, by method, route and status.");
    describe_histogram!(SECONDS, "How long requests took, in seconds.");
    describe_counter!(ISSUED, "Access tokens, by the kind of principal.");
    describe_counter!(DENIED, "Token requests that got none, by reason.");
    describe_counter!(LIMITED, "Requests beyond a limit, by what it counts.");
    describe_counter!(ENGINE, "Decisions that could not be made.");
    describe_gauge!(REVISION, "The revision of the database that requests are answered by.");
    describe_gauge!(AGE, "Seconds since the database confirmed the snapshot.");
    describe_gauge!(TOKENS, "Tokens in the snapshot.");
}
