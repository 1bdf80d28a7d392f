//! Metrics, whether the gateway lives and is ready, and what the registry says that happened, on an
//! address of their own.
//!
//! `/readyz` is 503 while the signing keys or the revocation feed are stale, and until the index
//! was read: balancers send requests elsewhere then.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;

use crate::data_plane::Envelope;
use crate::proxy::Gateway;

/// The longest message of a registry, in bytes.
const MAX_EVENTS: usize = 1024 * 1024;

/// Starts counting.
///
/// # Errors
///
/// When a recorder is installed already.
pub(crate) fn recorder() -> anyhow::Result<PrometheusHandle> {
    let buckets = [1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0];
    PrometheusBuilder::new()
        .set_buckets(&buckets)
        .and_then(PrometheusBuilder::install_recorder)
        .context("metrics")
}

/// Serves until the process ends.
///
/// # Errors
///
/// When the address cannot be had.
pub(crate) async fn serve(
    listen: SocketAddr,
    gateway: Arc<Gateway>,
    metrics: PrometheusHandle,
) -> anyhow::Result<()> {
    let listener = TcpListener::bind(listen).await.with_context(|| format!("admin: {listen}"))?;
    Ok(axum::serve(listener, routes(gateway, metrics)).await?)
}

fn routes(gateway: Arc<Gateway>, metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/metrics", get(move || async move { metrics.render() }))
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/events", post(events).layer(DefaultBodyLimit::max(MAX_EVENTS)))
        .with_state(gateway)
}

/// What the registry says that happened. Nothing of it is believed: it is asked about it.
async fn events(State(gateway): State<Arc<Gateway>>, body: Bytes) -> StatusCode {
    let Some(data_plane) = &gateway.data_plane else { return StatusCode::NOT_FOUND };
    let Ok(envelope) = serde_json::from_slice::<Envelope>(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    // A registry sends again what it has no good answer to.
    if data_plane.handle(envelope).await { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

async fn ready(State(gateway): State<Arc<Gateway>>) -> (StatusCode, String) {
    if gateway.data_plane.as_ref().is_some_and(|data_plane| !data_plane.is_ready()) {
        return (StatusCode::SERVICE_UNAVAILABLE, "the index was not read yet\n".to_owned());
    }
    match gateway.stale() {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(stale) => (StatusCode::SERVICE_UNAVAILABLE, format!("{stale}\n")),
    }
}
