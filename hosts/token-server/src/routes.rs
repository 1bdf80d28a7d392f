//! The routes.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::app::App;
use crate::error::json;
use crate::{base, token};

/// Every route of the server, without what [`serve`](crate::serve) puts around them.
pub fn routes(app: Arc<App>) -> Router {
    Router::new()
        .route("/v2/", get(base::get))
        .route("/oauth2/token", get(token::get).post(token::post))
        .route("/.well-known/jwks.json", get(jwks))
        .route("/.well-known/token-signing.pem", get(certificate))
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
