//! The log: text or JSON, one event a line, on standard error.
//!
//! `RUST_LOG` sets the level, `info` without it. Every line of a request has the request's id.

use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::Log;

/// The default filter. The database's notices are left out.
const DEFAULT_FILTER: &str = "info,sqlx=warn";

/// The log as a layer of the process's subscriber.
pub(crate) fn layer<S, W>(log: &Log, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(false);
    if log.json {
        layer.json().with_span_list(false).with_filter(filter(log)).boxed()
    } else {
        layer.with_filter(filter(log)).boxed()
    }
}

fn filter(log: &Log) -> EnvFilter {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    match "decision=off".parse() {
        Ok(silent) if !log.decisions => filter.add_directive(silent),
        _ => filter,
    }
}
