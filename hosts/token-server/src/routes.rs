//! The routes.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower_http::timeout::TimeoutLayer;

use crate::app::App;
use crate::error::json;
use crate::management;
use crate::oauth::{base, exchange, token};

/// The largest form: sixteen thousand bytes of scopes, percent-encoded, and a refresh token.
const MAX_BODY: usize = 64 * 1024;
/// How long a request may take. It takes a millisecond; a client that sends its form byte by byte is cut off.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Every route of the server.
pub fn routes(app: Arc<App>) -> Router {
    let (management, description) = management::routes();
    Router::new()
        .route("/v2/", get(base::get))
        .route("/oauth2/token", get(token::get).post(token::post))
        .route("/oauth2/exchange", post(exchange::post))
        .route("/.well-known/jwks.json", get(jwks))
        .route("/.well-known/token-signing.pem", get(certificate))
        .route("/healthz", get(|| async { "ok\n" }))
        .merge(management)
        .route("/openapi.json", get(|| async move { json(StatusCode::OK, &description) }))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, TIMEOUT))
        .with_state(app)
}

/// The public keys, as a JSON web key set.
async fn jwks(State(app): State<Arc<App>>) -> Response {
    json(StatusCode::OK, app.issuer.ring().jwks())
}

/// The public keys, as the certificate bundle of CNCF distribution.
async fn certificate(State(app): State<Arc<App>>) -> Response {
    let content_type = [(header::CONTENT_TYPE, "application/x-pem-file")];
    (content_type, app.issuer.ring().bundle().to_owned()).into_response()
}
