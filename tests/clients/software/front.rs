//! The registry's host as clients see it: HTTPS, with our server behind it.
//!
//! Requests for a token, for metadata, or to the management API reach our server, unmodified. The
//! registry itself is a **stand-in for the data plane only**: a small store in memory that answers
//! `/acr/v1` and the little of `/v2` that the Azure clients read, because no registry that can be
//! installed here has those calls. Who may do what is not its own invention: it verifies our
//! server's tokens with our server's published keys, and lets the core say what a request needs and
//! whether a token holds it.

mod store;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum_server::Handle;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use scopegate_api::access::AccessEntry;
use scopegate_api::errors::RegistryErrors;
use scopegate_core::challenge::{Challenge, ChallengeError, unauthorized_body};
use scopegate_core::route::{Profile, Route, Settings, route};
use scopegate_core::verify::verify;
use serde::Deserialize;
use tokio::runtime::Runtime;

use self::store::Store;
use super::authority::Authority;
use super::server::{ISSUER, Server};

/// The port that goes without saying.
pub(crate) const HTTPS: u16 = 443;

/// A host that serves as long as its test.
pub(crate) struct Front {
    port: u16,
    certificate: std::path::PathBuf,
    shared: Arc<Shared>,
    handle: Handle<SocketAddr>,
    // Dropped last: what still runs ends with it.
    runtime: Option<Runtime>,
}

/// What every request needs.
struct Shared {
    service: String,
    server: String,
    client: reqwest::Client,
    store: Store,
}

/// The claims that a registry looks at.
#[derive(Deserialize)]
struct Claims {
    grant_type: String,
    access: Vec<AccessEntry>,
}

/// What clients call a registry that will listen on `port`.
pub(crate) fn host(port: u16) -> String {
    if port == HTTPS { "localhost".to_owned() } else { format!("localhost:{port}") }
}

impl Front {
    /// Starts in front of `server`, which knows it by [`host`].
    pub(crate) fn start(port: u16, authority: &Authority, server: &Server) -> Self {
        // Not through a proxy, and no answer of our server is followed elsewhere.
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let service = host(port);
        let store = Store::new(&service);
        let shared = Arc::new(Shared { service, server: server.url(), client, store });
        let routes = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let runtime = Runtime::new().unwrap();
        let tls = runtime.block_on(authority.for_axum());
        let handle = Handle::new();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let serving = axum_server::bind_rustls(address, tls)
            .handle(handle.clone())
            .serve(routes.into_make_service());
        runtime.spawn(serving);
        runtime.block_on(handle.listening()).expect("the front cannot listen");
        let certificate = authority.certificate();
        Self { port, certificate, shared, handle, runtime: Some(runtime) }
    }

    /// What clients call the registry.
    pub(crate) fn host(&self) -> String {
        host(self.port)
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.host())
    }

    /// What clients have to trust.
    pub(crate) fn certificate(&self) -> &std::path::Path {
        &self.certificate
    }

    /// Puts an image into the registry; gives its digest.
    pub(crate) fn put(&self, repository: &str, tag: &str) -> String {
        self.shared.store.put(repository, tag)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.handle.shutdown();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, 1 << 20).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let path = parts.uri.path();
    // The challenge of `/v2/` itself is our server's.
    let is_data = path.starts_with("/v2/") && path != "/v2/" || path.starts_with("/acr/v1/");
    if is_data { shared.data_plane(&parts, &body).await } else { shared.forward(parts, body).await }
}

impl Shared {
    /// Hands a request to our server as it came.
    async fn forward(&self, parts: Parts, body: Bytes) -> Response {
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let url = format!("{}{target}", self.server);
        let sent = self.client.request(parts.method, url).headers(of_hop(parts.headers)).body(body);
        let Ok(response) = sent.send().await else {
            return StatusCode::BAD_GATEWAY.into_response();
        };
        let (status, headers) = (response.status(), of_hop(response.headers().clone()));
        match response.bytes().await {
            Ok(body) => (status, headers, Body::from(body)).into_response(),
            Err(_) => StatusCode::BAD_GATEWAY.into_response(),
        }
    }

    async fn data_plane(&self, parts: &Parts, body: &[u8]) -> Response {
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let route = match route(parts.method.as_str(), target, &Settings::default()) {
            Ok(route) => route,
            Err(error) => {
                return refusal(StatusCode::NOT_FOUND, "NAME_INVALID", &error.to_string());
            }
        };
        if let Err(error) = self.authorise(&parts.headers, &route).await {
            return self.challenge(&route, error);
        }
        self.store.answer(&parts.method, &route, parts.uri.query().unwrap_or_default(), body)
    }

    /// Whether the request's token opens the route; what is wrong with it when it does not.
    async fn authorise(
        &self,
        headers: &HeaderMap,
        route: &Route<'_>,
    ) -> Result<(), Option<ChallengeError>> {
        let value = headers.get(header::AUTHORIZATION).ok_or(None)?;
        let token = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
        let token = token.ok_or(ChallengeError::InvalidToken)?;
        let access = self.access(token).await.ok_or(ChallengeError::InvalidToken)?;
        let grants = access.iter().filter_map(AccessEntry::grant);
        verify(grants, &route.scopes, Profile::Acr)
            .map_err(|_| Some(ChallengeError::InsufficientScope))
    }

    /// The access entries of a genuine access token.
    async fn access(&self, token: &str) -> Option<Vec<AccessEntry>> {
        let kid = decode_header(token).ok()?.kid?;
        let url = format!("{}/.well-known/jwks.json", self.server);
        let keys = self.client.get(url).send().await.ok()?.bytes().await.ok()?;
        let keys: JwkSet = serde_json::from_slice(&keys).ok()?;
        let key = keys.find(&kid)?;
        // The algorithm is the published key's, whatever the token says of itself.
        let algorithm = key.common.key_algorithm?.to_string().parse().ok()?;
        let mut validation = Validation::new(algorithm);
        validation.set_audience(&[&self.service]);
        validation.set_issuer(&[ISSUER]);
        let key = DecodingKey::from_jwk(key).ok()?;
        let claims = decode::<Claims>(token, &key, &validation).ok()?.claims;
        (claims.grant_type == "access_token").then_some(claims.access)
    }

    fn challenge(&self, route: &Route<'_>, error: Option<ChallengeError>) -> Response {
        let realm = format!("https://{}/oauth2/token", self.service);
        let challenge = Challenge::bearer(&realm, &self.service, &route.scopes, error).to_string();
        let headers = [
            ("www-authenticate", challenge.as_str()),
            ("docker-distribution-api-version", "registry/2.0"),
            ("content-type", "application/json; charset=utf-8"),
        ];
        let body = unauthorized_body("authentication required", &route.scopes);
        (StatusCode::UNAUTHORIZED, headers, body).into_response()
    }
}

/// The headers without those that concern one connection only.
fn of_hop(mut headers: HeaderMap) -> HeaderMap {
    for name in [header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH] {
        headers.remove(name);
    }
    headers
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    let body = serde_json::to_string(&RegistryErrors::one(code, message)).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}
