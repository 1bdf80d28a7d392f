//! Traces for OpenTelemetry, by OTLP over HTTP in protobuf.
//!
//! Spans wait in a bounded queue, and a thread of its own exports them, so a slow or unreachable
//! collector loses only spans; the log says when the export fails and when it recovers. The
//! collector is trusted with routes, times and ids, not with names.
//!
//! Headers for the collector, a password for example, are read by the library from
//! `OTEL_EXPORTER_OTLP_HEADERS`, more about this process from `OTEL_RESOURCE_ATTRIBUTES`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData};
use scopegate_host::setting::SecretUrl;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use super::REQUESTS;

/// The timeout of exporting one batch.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long shutdown waits for queued spans.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);
const NAME: &str = "scopegate-server";

/// Whether this process exports traces.
static ARE_SENT: AtomicBool = AtomicBool::new(false);

/// Whether this process exports traces.
pub(crate) fn are_sent() -> bool {
    ARE_SENT.load(Ordering::Relaxed)
}

/// The traces of this process.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Starts the export to a collector, which need not be reachable yet.
    ///
    /// # Errors
    ///
    /// When the address is invalid.
    pub fn start(endpoint: &SecretUrl) -> anyhow::Result<Self> {
        let address = format!("{}/v1/traces", endpoint.expose().trim_end_matches('/'));
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(address)
            .with_timeout(EXPORT_TIMEOUT)
            .build()
            .context("otlp.endpoint")?;
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder().with_service_name(NAME).with_attribute(version).build();
        ARE_SENT.store(true, Ordering::Relaxed);
        let exporter = Reporting { exporter, is_failing: AtomicBool::new(false) };
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_batch_exporter(exporter)
            .build();
        Ok(Self { provider })
    }

    /// The layer that exports requests' spans, independent of the log's filter.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let tracer = self.provider.tracer(NAME);
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(|metadata| metadata.is_span() && metadata.target() == REQUESTS))
    }

    /// Sends the queued spans, and stops.
    pub async fn stop(self) {
        let stop = move || self.provider.shutdown_with_timeout(SHUTDOWN_TIMEOUT);
        let _ = tokio::task::spawn_blocking(stop).await;
    }
}

/// Logs when the export begins to fail and when it recovers, not each failure in between.
#[derive(Debug)]
struct Reporting<E> {
    exporter: E,
    is_failing: AtomicBool,
}

impl<E: opentelemetry_sdk::trace::SpanExporter> opentelemetry_sdk::trace::SpanExporter
    for Reporting<E>
{
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let sent = self.exporter.export(batch).await;
        let was_failing = self.is_failing.swap(sent.is_err(), Ordering::Relaxed);
        match &sent {
            Err(error) if !was_failing => {
                tracing::warn!(reason = reason(error), "trace export failed");
            }
            Ok(()) if was_failing => tracing::info!("trace export recovered"),
            _ => {}
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// Not the library's text, which contains the collector's address with its password.
fn reason(error: &OTelSdkError) -> &'static str {
    match error {
        OTelSdkError::AlreadyShutdown => "stopped",
        OTelSdkError::Timeout(_) => "no answer in time",
        OTelSdkError::InternalFailure(_) => "not reachable, or it refuses them",
    }
}
