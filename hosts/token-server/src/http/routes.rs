//! The routes.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::app::App;
use crate::http::answer::json;
use crate::http::authz;
use crate::http::management;
use crate::http::oauth::{base, exchange, token};
use crate::http::playground;

/// Every route of the server, without the layers of [`serve`](crate::http::serve).
pub fn routes(app: Arc<App>) -> Router {
    let router = Router::new()
        .route("/v2/", get(base::get))
        .route("/oauth2/token", get(token::get).post(token::post))
        .route("/oauth2/exchange", post(exchange::post))
        .route("/.well-known/jwks.json", get(jwks))
        .route("/.well-known/token-signing.pem", get(certificate));
    let router = if app.settings.is_managed { router.merge(managed(&app)) } else { router };
    let router =
        if app.settings.authz.peers.is_empty() { router } else { router.merge(authz::routes()) };
    let router =
        if app.settings.has_playground { router.merge(playground::routes()) } else { router };
    router.with_state(app)
}

fn managed(app: &Arc<App>) -> Router<Arc<App>> {
    let (routes, description) = management::routes(app);
    routes.route("/openapi.json", get(|| async move { json(StatusCode::OK, &description) }))
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
