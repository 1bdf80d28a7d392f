//! The log: text or JSON, one event a line, on standard error.
//!
//! `RUST_LOG` sets the level, `info` without it. Every line of a request has the request's id.
//! Lines of the audit trail are logged at any level.

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
    let directives = ["audit=info", if log.decisions { "" } else { "decision=off" }];
    let directives = directives.into_iter().filter_map(|directive| directive.parse().ok());
    directives.fold(filter, EnvFilter::add_directive)
}
