//! Metrics in Prometheus' text form.
//!
//! | metric | labels | counts |
//! |---|---|---|
//! | `scopegate_http_requests_total` | method, route, status | answers |
//! | `scopegate_http_request_seconds` | method, route | how long they took |
//! | `scopegate_tokens_issued_total` | principal | access tokens, by the kind of who got them |
//! | `scopegate_token_denials_total` | reason | token requests that got none |
//! | `scopegate_rate_limited_total` | by | requests beyond a limit |
//! | `scopegate_engine_failures_total` | | decisions that could not be made |
//! | `scopegate_snapshot_revision` | | the revision of the database that requests are answered by |
//! | `scopegate_snapshot_age_seconds` | | how long ago the database confirmed it |
//! | `scopegate_tokens` | | tokens in the snapshot |
//!
//! Labels come from short lists that stand in the program: a route is a pattern and never a path,
//! so that nobody outside can make a series, and no name or secret can be in one.

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

/// Bounds of the histogram, in seconds. A token takes a millisecond; a password that people choose,
/// fifty.
const BUCKETS: [f64; 11] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0, 10.0];
/// The library keeps each measured time until somebody reads the metrics, or this is over.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Which limit was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitedBy {
    /// That of an address.
    Address,
    /// That of a name.
    Principal,
}

/// Makes this process count. The second call gives the same counters.
///
/// # Errors
///
/// When another library counts already.
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

/// Keeps what is measured small while nobody reads it. Never returns.
pub async fn keep_up(handle: PrometheusHandle) {
    let mut ticks = interval(UPKEEP_EVERY);
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

/// One answer. `route` is a pattern of the router.
pub fn answered(method: &'static str, route: &str, status: u16, took: Duration) {
    let labels = [("method", method.to_owned()), ("route", route.to_owned())];
    histogram!(SECONDS, &labels).record(took.as_secs_f64());
    let [method, route] = labels;
    counter!(REQUESTS, &[method, route, ("status", status.to_string())]).increment(1);
}

/// An access token for a kind of principal: `token`, `admin`, `service_principal`, `identity` or
/// `anonymous`.
pub fn token_issued(principal: &'static str) {
    counter!(ISSUED, "principal" => principal).increment(1);
}

/// A token request that got no token, with a reason from a short list.
pub fn token_denied(reason: &'static str) {
    counter!(DENIED, "reason" => reason).increment(1);
}

/// A request beyond a limit.
pub fn rate_limited(by: LimitedBy) {
    let by = match by {
        LimitedBy::Address => "address",
        LimitedBy::Principal => "principal",
    };
    counter!(LIMITED, "by" => by).increment(1);
}

/// The engine could not decide.
pub fn engine_failed() {
    counter!(ENGINE).increment(1);
}

/// The snapshot that requests read.
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
