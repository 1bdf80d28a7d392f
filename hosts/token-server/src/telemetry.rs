//! Telemetry: logs, metrics, traces.
//!
//! No password, token or signature is in any of it, and no name is a label of a metric. Names are
//! only in the decision log, whose purpose is to record who asked for what.

pub(crate) mod audit;
pub(crate) mod decision;
pub(crate) mod log;
pub mod metrics;
pub(crate) mod syslog;
pub(crate) mod traces;

use anyhow::Context as _;
use metrics_exporter_prometheus::PrometheusHandle;
use tracing::Subscriber;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry};

use crate::config::Config;
use traces::Traces;

/// The target of requests' spans, by which traces select them.
pub(crate) const REQUESTS: &str = "request";

/// The telemetry of this process, to be stopped at shutdown.
#[derive(Debug)]
pub(crate) struct Telemetry {
    /// Renders the metrics.
    pub metrics: PrometheusHandle,
    traces: Option<Traces>,
}

impl Telemetry {
    /// Starts the log, the metrics and, when a collector is configured, the traces of this process.
    ///
    /// # Errors
    ///
    /// When the collector's address is invalid, or telemetry was started before.
    pub(crate) fn start(config: &Config) -> anyhow::Result<Self> {
        let traces = config.otlp.endpoint.as_ref().map(Traces::start).transpose()?;
        subscriber(log::layer(&config.log, std::io::stderr), traces.as_ref())
            .try_init()
            .context("cannot start the log")?;
        Ok(Self { metrics: metrics::install()?, traces })
    }

    /// Sends the queued spans.
    pub(crate) async fn stop(self) {
        if let Some(traces) = self.traces {
            traces.stop().await;
        }
    }
}

/// The subscriber of events and spans: the log, and the traces if any.
///
/// One list of layers, not nested ones: any layer around the log, even an empty one, enables events
/// that the log filters out, and they are built in vain. That cost an eighth of the time of a token
/// whose decision is not logged.
fn subscriber(
    log: Box<dyn Layer<Registry> + Send + Sync>,
    traces: Option<&Traces>,
) -> impl Subscriber + Send + Sync {
    let traces = traces.map(|traces| traces.layer().boxed());
    tracing_subscriber::registry().with(Vec::from_iter([Some(log), traces].into_iter().flatten()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Log;

    #[test]
    fn only_what_is_logged_is_wanted() {
        for decisions in [true, false] {
            let log = log::layer(&Log { json: false, decisions }, std::io::sink);
            tracing::subscriber::with_default(subscriber(log, None), || {
                let is_wanted = tracing::enabled!(target: "decision", tracing::Level::INFO);
                assert_eq!(is_wanted, decisions);
            });
        }
    }
}
