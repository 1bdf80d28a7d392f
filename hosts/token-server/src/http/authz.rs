//! `/authz`: whether another proxy may forward a request to the registry.
//!
//! | address | called by | the original request is in |
//! |---|---|---|
//! | `/authz/nginx` | nginx, `auth_request` | `X-Original-Method`, `X-Original-URI` |
//! | `/authz/forward` | Caddy's `forward_auth`, Traefik's `ForwardAuth` | `X-Forwarded-Method`, `X-Forwarded-Uri` |
//! | `/authz/envoy/…` | Envoy, `ext_authz` over HTTP | the method, and `X-Scopegate-Target`, which the path behind the prefix agrees with |
//!
//! The engine decides about the whole request, as at every edge. 200 allows it; any other answer is
//! for the client. The canonical target is in `X-Scopegate-Target`. A proxy that forwards that
//! target asks with `?rewrites=true`; for any other a request is allowed only where the registry
//! cannot read a different one from it.
//!
//! The type of the forwarded body is not visible here, and a registry reads parameters from the
//! body of a form. So the proxy always sets `Content-Type` itself, and says in
//! `X-Scopegate-Content-Type` what it will send, `none` for no type. A request is allowed only
//! where that is what the engine sets.
//!
//! What it knows is as fresh as at every edge: once the database has been gone for a minute, every
//! request with a credential is 503.
//!
//! Only the configured peers are answered, because the caller itself states the request. nginx
//! passes on only 401 and 403, so every other refusal is a 403 there.
//!
//! Left out: the catalog of `catalog: filtered`, which cannot be filtered here and is refused; the
//! other header fields, which are the proxy's configuration.

mod question;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use scopegate_api::abi::write_access;
use scopegate_api::access::AccessEntry;
use scopegate_api::errors::RegistryErrors;
use scopegate_core::ResourceType;
use scopegate_core::admission::{Authority, Credential, Request};
use scopegate_core::route::Settings;
use scopegate_edge::bearer;
use scopegate_edge::catalog::is_open;
use scopegate_runtime::{Admission, ENGINE_SHA256, Error as EngineError};

use question::{Proxy, Question};

use crate::app::App;
use crate::clock;
use crate::domain::decision::failed;
use crate::domain::principal::{Credentials, Presented, Proven};
use crate::http::authorization::authorization;
use crate::http::context::Context;
use crate::http::error::RouteError;
use crate::http::oauth::logged;
use crate::telemetry::decision::{Decision, Edge};

/// The canonical target of the decision, which may be forwarded.
const TARGET: HeaderName = HeaderName::from_static("x-scopegate-target");
const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

/// The routes, one for each kind of proxy.
pub(crate) fn routes() -> Router<Arc<App>> {
    let ask = |proxy: Proxy| {
        any(move |State(app): State<Arc<App>>, context: Context, parts: Parts| async move {
            answer(&app, &context, proxy, &parts).await
        })
    };
    Router::new()
        .route("/authz/nginx", ask(Proxy::Nginx))
        .route("/authz/forward", ask(Proxy::Forward))
        .route("/authz/envoy/{*target}", ask(Proxy::Envoy))
}

async fn answer(app: &App, context: &Context, proxy: Proxy, parts: &Parts) -> Response {
    let answer = if is_peer(app, parts) {
        decided(app, context, proxy, parts).await
    } else {
        refusal(StatusCode::FORBIDDEN, "DENIED", "this address may not ask")
    };
    match (proxy, answer.status()) {
        (Proxy::Nginx, status)
            if status != StatusCode::OK && status != StatusCode::UNAUTHORIZED =>
        {
            let mut answer = answer;
            *answer.status_mut() = StatusCode::FORBIDDEN;
            answer
        }
        _ => answer,
    }
}

fn is_peer(app: &App, parts: &Parts) -> bool {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    peer.is_some_and(|peer| app.settings.authz.peers.contain(peer.0.ip()))
}

async fn decided(app: &App, context: &Context, proxy: Proxy, parts: &Parts) -> Response {
    let began = Instant::now();
    let question = match Question::read(proxy, parts) {
        Ok(question) => question,
        Err(error) => return refusal(StatusCode::BAD_REQUEST, "UNSUPPORTED", error.message()),
    };
    let mut decision = Decision {
        address: Some(context.address),
        correlation_id: &context.correlation_id,
        engine: ENGINE_SHA256,
        ..Decision::default()
    };
    let presented = Presented::default();
    let outcome = admit(app, (context, &presented), &question, &parts.headers).await;
    let proven = presented.get();
    decision.principal = proven.map(logged);
    decision.presented_jti = proven.and_then(|proven| proven.jti.as_deref());
    let mut edge = Edge { method: &question.method, target: &question.target, status: 200 };
    let answer = match outcome {
        Ok(Admission::Forward { target, content_type, scopes }) => {
            match question.may_go_on_as(&target, content_type.as_deref()) {
                Ok(()) => {
                    decision.granted = vec![scopes];
                    forwarded(&target)
                }
                Err(error) => refusal(StatusCode::BAD_REQUEST, "UNSUPPORTED", error.message()),
            }
        }
        Ok(Admission::Refusal { status, challenge, body }) => {
            refused(status, challenge.as_deref(), body)
        }
        Err(error) => error.into_response(),
    };
    edge.status = answer.status().as_u16();
    decision.duration = began.elapsed();
    decision.at_edge(edge);
    answer
}

async fn admit(
    app: &App,
    (context, presented): (&Context, &Presented),
    question: &Question,
    headers: &HeaderMap,
) -> Result<Admission, RouteError> {
    let settings =
        Settings { profile: app.settings.authz.profile, untag: app.settings.authz.untag };
    let credential = match credential(app, (context, presented), question, headers, &settings).await
    {
        Ok(credential) => credential,
        Err(RouteError::Unauthorized(_)) => {
            app.guard.failed(context.address);
            Credential::Invalid
        }
        Err(error) => return Err(error),
    };
    let grants;
    let credential = match credential {
        Credential::Absent => Credential::Absent,
        Credential::Invalid => Credential::Invalid,
        Credential::Valid(text) => {
            grants = text;
            Credential::Valid(grants.as_str())
        }
    };
    let realm = app.realm();
    let authority = Authority { realm: &realm, service: &app.issuer.service };
    let request = Request {
        method: &question.method,
        target: &question.target,
        headers: question.headers(headers),
    };
    let admitted = app.runtime.admit(request, credential, authority, &settings);
    admitted.map_err(|error| failed(&error).into())
}

/// The credential of the request, and its access: scopes, one a line.
async fn credential(
    app: &App,
    (context, presented): (&Context, &Presented),
    question: &Question,
    headers: &HeaderMap,
    settings: &Settings,
) -> Result<Credential<String>, RouteError> {
    let Some(authorization) = authorization(headers)? else { return Ok(Credential::Absent) };
    let now = clock::now();
    app.check_edge_snapshot(now)?;
    let value = authorization.as_bytes();
    if bearer::is_bearer(value) {
        let token = bearer::token(value).unwrap_or_default();
        let policy = Arc::clone(&app.policy());
        let claims = app.authenticator(&policy).noting(presented).by_access_token(token, now)?;
        return Ok(Credential::Valid(opened(app, &claims.access)));
    }
    let Some(scopes) = needed(app, question, settings)? else {
        // An unknown resource is 404 for every client.
        return Ok(Credential::Absent);
    };
    let credentials = Credentials::basic(value)?;
    let policy = Arc::clone(&app.policy());
    let authenticator = app.authenticator(&policy).noting(presented);
    let principal = authenticator.authenticate(credentials, context.address, now).await?.principal;
    presented.note(|| Proven::by_password(&principal));
    let scopes: Vec<&str> = scopes.split(' ').filter(|scope| !scope.is_empty()).collect();
    let report = app.decider().decide(&principal, &scopes)?;
    Ok(Credential::Valid(opened(app, &report.access)))
}

/// The scopes that the request needs; none for an unknown request.
fn needed(
    app: &App,
    question: &Question,
    settings: &Settings,
) -> Result<Option<String>, RouteError> {
    match app.runtime.route(&question.method, &question.target, settings) {
        Ok(route) => Ok(Some(route.scopes)),
        Err(EngineError::Refused(_)) => Ok(None),
        Err(error) => Err(failed(&error).into()),
    }
}

/// The scopes that access entries grant where the list of repositories is not filtered.
fn opened(app: &App, access: &[AccessEntry]) -> String {
    let opens = |entry: &&AccessEntry| {
        let resource_type = ResourceType::parse(&entry.resource_type);
        resource_type
            .is_some_and(|resource_type| is_open(resource_type, app.settings.catalog, false))
    };
    write_access(access.iter().filter(opens))
}

fn forwarded(target: &str) -> Response {
    let mut answer = StatusCode::OK.into_response();
    if let Ok(target) = HeaderValue::from_str(target) {
        answer.headers_mut().insert(TARGET, target);
    }
    answer
}

fn refused(status: u16, challenge: Option<&str>, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
    let mut answer = (status, body).into_response();
    if let Some(challenge) = challenge.and_then(|value| HeaderValue::from_str(value).ok()) {
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    registry(answer)
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    registry(crate::http::answer::json(status, &RegistryErrors::one(code, message)))
}

/// An answer in the form of a registry's, since the client asked the registry.
fn registry(mut answer: Response) -> Response {
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, json);
    answer.headers_mut().insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
    answer
}
