//! The routes.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::app::App;
use crate::http::answer::json;
use crate::http::authz;
use crate::http::management;
use crate::http::oauth::{base, exchange, revoke, token};
use crate::http::playground;

/// Every route of the public address, without the layers of [`serve`](crate::http::serve).
pub fn routes(app: Arc<App>) -> Router {
    let router = Router::new()
        .route("/v2/", get(base::get))
        .route("/oauth2/token", get(token::get).post(token::post))
        .route("/oauth2/exchange", post(exchange::post))
        .route("/oauth2/revoke", post(revoke::post))
        .route("/.well-known/jwks.json", get(jwks))
        .route("/.well-known/token-signing.pem", get(certificate));
    let router = match (app.settings.is_managed, &app.settings.management_url) {
        (false, _) => router,
        (true, None) => router.merge(managed(&app)),
        (true, Some(_)) => router.merge(management::feeds(&app)),
    };
    let router =
        if app.settings.authz.peers.is_empty() { router } else { router.merge(authz::routes()) };
    let router =
        if app.settings.has_playground { router.merge(playground::routes()) } else { router };
    router.with_state(app)
}

/// Every route of management's own address, without the layers.
///
/// Left out: whatever shows text of others, such as the playground, and the probes, which are on
/// the public address and on that of the metrics.
pub fn management_routes(app: Arc<App>) -> Router {
    managed(&app).layer(from_fn(management::certificate::identify)).with_state(app)
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
