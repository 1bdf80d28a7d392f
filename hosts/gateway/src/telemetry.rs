//! The log, one event a line on standard error, and the decision log: one event for each request,
//! under the target `decision`.
//!
//! A decision tells who asked from where for what, and what came of it, in the words of the token
//! server's. It holds no secret: of a token only whom it is for, of a password nothing.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::Context as _;
use scopegate_edge::target::for_log;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::Log;

/// How much is logged by default. What Pingora logs about clients that disconnect is left out.
const DEFAULT_FILTER: &str = "info,pingora_proxy=off,pingora_core=warn";
/// How much of a text that a client chose is logged, in bytes.
const MAX_LOGGED: usize = 2 * 1024;

/// Starts the log of the process.
///
/// # Errors
///
/// When there is one already.
pub(crate) fn start(log: Log) -> anyhow::Result<()> {
    let mut filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    if !log.decisions {
        filter = filter.add_directive("decision=off".parse()?);
    }
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let registry = tracing_subscriber::registry().with(filter);
    let started = if log.json {
        registry.with(layer.json().with_span_list(false)).try_init()
    } else {
        registry.with(layer).try_init()
    };
    started.context("the log")
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It went on to the registry.
    Forwarded,
    /// It went on to the token server, which decides about it.
    Passed,
    /// It was answered here, because it may have it.
    Answered,
    /// It may not, or it was none.
    Refused,
    /// No decision could be made.
    Failed,
}

impl Outcome {
    /// The word for it.
    #[must_use]
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Forwarded => "forwarded",
            Self::Passed => "passed",
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// One request and what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Decision<'a> {
    /// What came of it.
    pub(crate) outcome: Outcome,
    /// The method.
    pub(crate) method: &'a str,
    /// The target, as it came. The log leaves out the values of a query that no registry reads.
    pub(crate) target: &'a str,
    /// The scopes that it needed.
    pub(crate) requested: &'a str,
    /// Those that the token did not hold.
    pub(crate) denied: &'a str,
    /// Whom the token is for.
    pub(crate) name: Option<&'a str>,
    /// The provider of an identity, whose name is unique only together with it.
    pub(crate) provider: Option<&'a str>,
    /// The id of the token.
    pub(crate) presented_jti: Option<&'a str>,
    /// From where.
    pub(crate) address: Option<IpAddr>,
    /// The id that the client has read in its answer.
    pub(crate) correlation_id: &'a str,
    /// The status that the client got; 0 when the connection was gone.
    pub(crate) status: u16,
    /// How long it took to decide.
    pub(crate) duration: Duration,
}

impl Decision<'_> {
    /// Logs and counts it.
    pub(crate) fn log(&self) {
        metrics::counter!("scopegate_gateway_decisions_total", "outcome" => self.outcome.as_str())
            .increment(1);
        metrics::histogram!("scopegate_gateway_decision_seconds").record(self.duration);
        tracing::info!(
            target: "decision",
            outcome = self.outcome.as_str(),
            method = bounded(self.method),
            target = bounded(&for_log(self.target)),
            requested = bounded(self.requested),
            denied = bounded(self.denied),
            name = self.name.map(bounded),
            provider = self.provider.map(bounded),
            presented_jti = self.presented_jti.map(bounded),
            address = self.address.map(|address| address.to_string()),
            correlation_id = self.correlation_id,
            status = self.status,
            // Hours in microseconds are far from the end of the number.
            microseconds = u64::try_from(self.duration.as_micros()).unwrap_or(u64::MAX),
        );
    }
}

fn bounded(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_LOGGED)).unwrap_or_default()
}
