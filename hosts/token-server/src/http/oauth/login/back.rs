//! `GET /common/oauth2/v2.0/return`: where the provider sends a browser back.
//!
//! The state of the provider's answer has to be the one in this browser's cookie, or the page is
//! all that there is. Then whatever becomes of it is for the client on loopback, and the cookie
//! ends. An answer has to name this provider as its issuer where the provider names one (RFC 9207).

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::page::{self, Destination};
use super::{cookie, described, is_navigation, return_address};
use crate::app::App;
use crate::clock;
use crate::domain::identity::provider::login::{CodeGrant, SignedIn};
use crate::domain::login::code::Grant;
use crate::domain::login::person::Person;
use crate::domain::login::pkce::is_same;
use crate::domain::login::redirect::RedirectUri;
use crate::domain::login::request::LoginRequest;
use crate::domain::reason::Reason;
use crate::http::context::Context;
use crate::http::error::RouteError;
use crate::http::oauth::parameters::Parameters;
use crate::http::sign_ins;
use crate::model::audit::Actor;

/// `GET /common/oauth2/v2.0/return`
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    context: Context,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    const OVER: &str =
        "This sign-in is over, or was begun in another browser. Begin again where you began.";
    let parameters = Parameters::of_get(query.as_deref());
    let Some((request, destination)) = begun(&app, &parameters, &headers) else {
        // It proves nothing, so it is no row of the trail.
        app.guard_of(context.listener).failed(context.address);
        return page::refusal(StatusCode::BAD_REQUEST, OVER);
    };
    let mut response = match finish(&app, &context, &parameters, request).await {
        Ok(code) => destination.answer(&[("code", &code)]),
        Err(error) => {
            error.log();
            destination.refuse(described(&error))
        }
    };
    if let Some(cookie) = cookie::end(&app) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// The sign-in that this browser has begun, when this is its answer.
fn begun(
    app: &App,
    parameters: &Parameters<'_>,
    headers: &HeaderMap,
) -> Option<(LoginRequest, Destination)> {
    if !is_navigation(headers) {
        return None;
    }
    let state = parameters.one("state").ok().flatten()?;
    let request = LoginRequest::verify(cookie::get(app, headers)?, &app.issuer, clock::now())?;
    if !is_same(state, &request.state) {
        return None;
    }
    let client = &request.client;
    let destination = Destination {
        redirect_uri: RedirectUri::parse(&client.redirect_uri)?,
        is_form: client.is_form,
        state: client.state.clone(),
    };
    Some((request, destination))
}

/// The client's code. A refusal is in the audit trail.
async fn finish(
    app: &App,
    context: &Context,
    parameters: &Parameters<'_>,
    request: LoginRequest,
) -> Result<String, RouteError> {
    let mut actor = Actor::unknown();
    let finished = code(app, context, parameters, request, &mut actor).await;
    if let Err(RouteError::Unauthorized(reason)) = &finished {
        app.guard_of(context.listener).failed(context.address);
        sign_ins::refused_person(app, actor, reason.code(), context);
    }
    finished
}

async fn code(
    app: &App,
    context: &Context,
    parameters: &Parameters<'_>,
    request: LoginRequest,
    actor: &mut Actor,
) -> Result<String, RouteError> {
    let provider = app.providers.login().filter(|provider| provider.name() == request.provider);
    let provider = provider.ok_or(Reason::ProviderGone)?;
    app.guard_of(context.listener).check_login(context.address)?;
    let now = clock::now();
    provider.check_issuer(parameters.one("iss")?, now).await?;
    let code = provider_code(parameters)?;
    let grant = CodeGrant {
        code,
        verifier: &request.verifier,
        redirect_uri: &return_address(app),
        nonce: &request.nonce,
    };
    let signed_in = provider.redeem_code(grant, now).await?;
    *actor = actor_of(&signed_in);
    app.check_snapshot(now)?;
    let policy = Arc::clone(&app.policy());
    let client = request.client;
    let person = Person::new(signed_in, &client.client_id, app.directory(&policy), now)?;
    let grant = Grant {
        person,
        redirect_uri: client.redirect_uri,
        code_challenge: client.code_challenge,
        scope: client.scope,
        nonce: client.nonce,
        epoch: app.issuer.epoch().as_deref().cloned(),
    };
    Ok(grant.store(&app.store, now).await?)
}

/// The code of the provider's answer, or why there is none.
fn provider_code<'p>(parameters: &'p Parameters<'_>) -> Result<&'p str, RouteError> {
    match parameters.one("error")? {
        None => parameters.required("code", "the provider's answer has no code"),
        Some("server_error" | "temporarily_unavailable") => {
            Err(RouteError::Unavailable("the provider cannot sign people in now".into()))
        }
        Some(_) => Err(Reason::LoginRefused.into()),
    }
}

/// Who it is in the audit trail.
pub(super) fn actor_of(signed_in: &SignedIn) -> Actor {
    Actor::identity(&signed_in.identity.provider, &signed_in.identity.subject)
}
