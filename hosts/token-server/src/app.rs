//! The routes, and what they share.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use scopegate_core::Catalog;
use scopegate_runtime::Runtime;
use tower_http::timeout::TimeoutLayer;

use crate::error::json;
use crate::issue::Issuer;
use crate::policy::Policy;
use crate::{base, token};

/// What requests share.
#[derive(Debug)]
pub struct App {
    /// The engine.
    pub runtime: Runtime,
    /// Who signs, for whom.
    pub issuer: Issuer,
    /// The address of the token endpoint, as clients reach it.
    pub realm: String,
    /// Who may list repositories.
    pub catalog: Catalog,
    policy: ArcSwap<Policy>,
}

/// The largest form: sixteen thousand bytes of scopes, percent-encoded, and a refresh token.
const MAX_BODY: usize = 64 * 1024;
/// How long a request may take. It takes a millisecond; a client that sends its form byte by byte is cut off.
const TIMEOUT: Duration = Duration::from_secs(10);

impl App {
    /// An app that knows nothing yet.
    #[must_use]
    pub fn new(runtime: Runtime, issuer: Issuer, public_url: &str, catalog: Catalog) -> Self {
        let realm = format!("{}/oauth2/token", public_url.trim_end_matches('/'));
        Self { runtime, issuer, realm, catalog, policy: ArcSwap::default() }
    }

    /// The snapshot of this moment.
    pub fn policy(&self) -> Guard<Arc<Policy>> {
        self.policy.load()
    }

    /// Puts another snapshot in its place. Requests that began with the old one end with it.
    pub fn replace_policy(&self, policy: Policy) {
        self.policy.store(Arc::new(policy));
    }
}

/// Every route of the server.
pub fn routes(app: Arc<App>) -> Router {
    Router::new()
        .route("/v2/", get(base::get))
        .route("/oauth2/token", get(token::get).post(token::post))
        .route("/.well-known/jwks.json", get(jwks))
        .route("/.well-known/token-signing.pem", get(certificate))
        .route("/healthz", get(|| async { "ok\n" }))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, TIMEOUT))
        .with_state(app)
}

/// The public key, as a JSON web key set.
async fn jwks(State(app): State<Arc<App>>) -> Response {
    json(StatusCode::OK, &app.issuer.keys.jwks)
}

/// The public key, as the certificate bundle of CNCF distribution.
async fn certificate(State(app): State<Arc<App>>) -> Response {
    let content_type = [(header::CONTENT_TYPE, "application/x-pem-file")];
    (content_type, app.issuer.keys.certificate.clone()).into_response()
}
