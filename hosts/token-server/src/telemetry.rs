//! What the server tells about itself: logs, metrics, traces.
//!
//! No password, token or signature is in any of it, and no name is a label of a metric. Names stand in the decision log alone, which is
//! there to tell who asked for what.

pub mod decision;
pub mod log;
pub mod metrics;
pub mod request;
pub mod traces;

use anyhow::Context as _;
use metrics_exporter_prometheus::PrometheusHandle;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::Config;
use traces::Traces;

/// What was started, to be ended.
#[derive(Debug)]
pub struct Telemetry {
    /// Renders the metrics.
    pub metrics: PrometheusHandle,
    traces: Option<Traces>,
}

impl Telemetry {
    /// Starts the log, the metrics and, when a collector is configured, the traces of this process.
    ///
    /// # Errors
    ///
    /// When the collector's address is none, or something was started before.
    pub fn start(config: &Config) -> anyhow::Result<Self> {
        let traces = config.otlp.endpoint.as_ref().map(Traces::start).transpose()?;
        tracing_subscriber::registry()
            .with(log::layer(&config.log, std::io::stderr))
            .with(traces.as_ref().map(Traces::layer))
            .try_init()
            .context("cannot start the log")?;
        Ok(Self { metrics: metrics::install()?, traces })
    }

    /// Sends what is not yet sent.
    pub async fn stop(self) {
        if let Some(traces) = self.traces {
            traces.stop().await;
        }
    }
}
