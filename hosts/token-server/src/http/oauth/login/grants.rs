//! What the token endpoint has for people: `authorization_code`, `refresh_token` and the device
//! code's grant.
//!
//! Follows RFC 6749 (sections 4.1.3, 5 and 6), RFC 7636 (section 4.6), RFC 8628 (section 3.5), and
//! what `az` reads of the answer beside them: `client_info`, and claims of the ID token.
//!
//! A code is taken out before anything of its request is compared, so that a wrong request uses it
//! up. Who has signed in, or failed to, is in the audit trail.

use std::sync::Arc;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::json as object;

use super::back::actor_of;
use super::{MAX_SCOPE, described, is_client};
use crate::app::App;
use crate::clock;
use crate::domain::identity::provider::login::{DEVICE_GRANT, DeviceError};
use crate::domain::login::code::Grant;
use crate::domain::login::device::{DeviceCodeError, DeviceRequest};
use crate::domain::login::person::Person;
use crate::domain::login::pkce;
use crate::domain::reason::Reason;
use crate::http::context::Context;
use crate::http::error::RouteError;
use crate::http::oauth::oauth_error::{OAuthError, invalid_request, refused};
use crate::http::oauth::parameters::Parameters;
use crate::http::oauth::tenant::{audience, authority_of};
use crate::http::sign_ins;
use crate::model::audit::Actor;

/// The longest code or token that is read, in bytes.
const MAX_TOKEN: usize = 16 * 1024;

/// What a grant gives: a person, for a scope.
struct Granted {
    person: Person,
    scope: String,
    nonce: Option<String>,
    /// Whether the person has just signed in.
    is_sign_in: bool,
}

/// The answer (RFC 6749, section 5.1), with what `az` reads beside.
#[derive(Serialize)]
pub(in crate::http::oauth) struct Tokens {
    token_type: &'static str,
    scope: String,
    expires_in: i64,
    ext_expires_in: i64,
    access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    /// Who it is, in base 64.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_info: Option<String>,
}

/// Whether a grant is one for people.
#[must_use]
pub(in crate::http::oauth) fn is_for_people(grant_type: &str) -> bool {
    matches!(grant_type, "authorization_code" | "refresh_token" | DEVICE_GRANT)
}

/// The tokens of a grant.
///
/// # Errors
///
/// [`OAuthError`].
pub(in crate::http::oauth) async fn issue(
    app: &App,
    context: &Context,
    grant_type: &str,
    form: &Parameters<'_>,
) -> Result<Tokens, OAuthError> {
    let one = |name| form.one(name).map_err(invalid_request);
    let client_id = one("client_id")?.filter(|id| is_client(id));
    let client_id = client_id.ok_or(OAuthError::invalid("no client_id, a GUID"))?;
    let scope = one("scope")?.filter(|scope| !scope.is_empty());
    if scope.is_some_and(|scope| scope.len() > MAX_SCOPE) {
        return Err(OAuthError::invalid("the scope is too long"));
    }
    let granted = match grant_type {
        "authorization_code" => by_code(app, context, client_id, form).await?,
        "refresh_token" => by_refresh_token(app, client_id, form)?,
        _ => by_device_code(app, context, client_id, form).await?,
    };
    let scope = scope.unwrap_or(&granted.scope);
    // A refresh token is for every resource, as at the service; what a person has consented to is
    // not.
    let is_granted = |value: &str| granted.scope.split(' ').any(|known| known == value);
    if granted.is_sign_in && !scope.split(' ').all(is_granted) {
        return Err(OAuthError::bad_request(
            "invalid_scope",
            "the scope has more than the sign-in began with; send that one",
        ));
    }
    let wants_client_info = form.is("client_info", "1").map_err(invalid_request)?;
    let body = tokens(app, &granted, scope, wants_client_info)?;
    if granted.is_sign_in {
        let Person { identity, subject, .. } = &granted.person;
        sign_ins::signed_in(app, Actor::identity(&identity.provider, subject), context);
        app.guard_of(context.listener).prove(context.address);
    }
    Ok(body)
}

async fn by_code(
    app: &App,
    context: &Context,
    client_id: &str,
    form: &Parameters<'_>,
) -> Result<Granted, OAuthError> {
    let one = |name| form.one(name).map_err(invalid_request);
    let (code, redirect_uri) = (one("code")?.unwrap_or(""), one("redirect_uri")?.unwrap_or(""));
    let verifier = one("code_verifier")?.unwrap_or("");
    let now = clock::now();
    let taken = Grant::take(code, &app.store, now).await;
    let taken = taken.map_err(RouteError::from).map_err(refused)?;
    let Some(grant) = taken else {
        app.guard_of(context.listener).failed(context.address);
        sign_ins::refused(app, "", Reason::CodeUnknown.code(), context);
        return Err(invalid_grant("the code is unknown, used or expired; sign in again"));
    };
    let person = &grant.person;
    let is_its_own = person.client_id == client_id
        && grant.redirect_uri == redirect_uri
        && pkce::verifies(verifier, &grant.code_challenge);
    let is_current = grant.epoch.as_ref() == app.issuer.epoch().as_deref();
    if !is_its_own || !is_current {
        app.guard_of(context.listener).failed(context.address);
        let actor = Actor::identity(&person.identity.provider, &person.subject);
        sign_ins::refused_person(app, actor, Reason::CodeOfAnother.code(), context);
        return Err(invalid_grant(
            "the code is for another client_id, redirect_uri or code_verifier; sign in again",
        ));
    }
    let Grant { person, scope, nonce, .. } = grant;
    Ok(Granted { person: current(app, person, now)?, scope, nonce, is_sign_in: true })
}

fn by_refresh_token(
    app: &App,
    client_id: &str,
    form: &Parameters<'_>,
) -> Result<Granted, OAuthError> {
    const OVER: &str = "the refresh token is not good any more; sign in again";
    let token = form.one("refresh_token").map_err(invalid_request)?.unwrap_or("");
    let now = clock::now();
    app.check_snapshot(now).map_err(RouteError::from).map_err(refused)?;
    let policy = Arc::clone(&app.policy());
    let directory = app.directory(&policy);
    let known = (token.len() <= MAX_TOKEN)
        .then(|| Person::by_refresh_token(token, &app.issuer, directory, None, now));
    let known = known.unwrap_or(Ok(None)).map_err(RouteError::from);
    let (person, principal) =
        known.map_err(|error| ended(error, OVER))?.ok_or(invalid_grant(OVER))?;
    if person.client_id != client_id {
        return Err(invalid_grant("the refresh token is another client's"));
    }
    let person = Person { generation: principal.generation.unsigned_abs(), ..person };
    let scope = format!("{}/.default openid profile offline_access", app.settings.management_url());
    Ok(Granted { person, scope, nonce: None, is_sign_in: false })
}

async fn by_device_code(
    app: &App,
    context: &Context,
    client_id: &str,
    form: &Parameters<'_>,
) -> Result<Granted, OAuthError> {
    let code = form.one("device_code").map_err(invalid_request)?.unwrap_or("");
    let now = clock::now();
    let request = if code.len() <= MAX_TOKEN {
        DeviceRequest::verify(code, &app.issuer, now)
    } else {
        Err(DeviceCodeError::Unknown)
    };
    let request = request.map_err(|error| match error {
        DeviceCodeError::Expired => expired(),
        DeviceCodeError::Unknown => invalid_grant("the device code is unknown; sign in again"),
    })?;
    if request.client_id != client_id {
        return Err(invalid_grant("the device code is another client's"));
    }
    let provider = app.providers.login().filter(|provider| provider.name() == request.provider);
    let provider = provider.ok_or(invalid_grant("the provider is gone; sign in again"))?;
    if !app.polls.may_ask(&request, Instant::now())
        || app.guard_of(context.listener).check_poll(context.address).is_err()
    {
        return Err(slow_down());
    }
    let polled = provider.poll_device(&request.device_code, now).await;
    let signed_in = polled.map_err(|error| device_error(app, context, &request, error))?;
    let actor = actor_of(&signed_in);
    app.check_snapshot(now).map_err(RouteError::from).map_err(refused)?;
    let policy = Arc::clone(&app.policy());
    let person = Person::new(signed_in, client_id, app.directory(&policy), now);
    let person = person.map_err(RouteError::from).map_err(|error| {
        if let RouteError::Unauthorized(reason) = &error {
            sign_ins::refused_person(app, actor, reason.code(), context);
        }
        denied(error)
    })?;
    Ok(Granted { person, scope: request.scope, nonce: None, is_sign_in: true })
}

/// The client's error for what the provider says about a device code.
fn device_error(
    app: &App,
    context: &Context,
    request: &DeviceRequest,
    error: DeviceError,
) -> OAuthError {
    match error {
        DeviceError::Pending => OAuthError::bad_request(
            "authorization_pending",
            "the person has not entered the code yet",
        ),
        DeviceError::SlowDown => {
            app.polls.slow_down(request);
            slow_down()
        }
        DeviceError::Expired => expired(),
        DeviceError::Denied => {
            sign_ins::refused(app, "", Reason::LoginRefused.code(), context);
            denied(Reason::LoginRefused.into())
        }
        DeviceError::Other(error) => {
            let error = RouteError::from(error);
            if let RouteError::Unauthorized(reason) = &error {
                sign_ins::refused(app, "", reason.code(), context);
            }
            denied(error)
        }
    }
}

/// A person who may still sign in, with its generation of now.
fn current(app: &App, person: Person, now: i64) -> Result<Person, OAuthError> {
    app.check_snapshot(now).map_err(RouteError::from).map_err(refused)?;
    let policy = Arc::clone(&app.policy());
    let principal = person.principal(app.directory(&policy), now).map_err(RouteError::from);
    let principal = principal.map_err(|error| ended(error, "the rights have ended since"))?;
    Ok(Person { generation: principal.generation.unsigned_abs(), ..person })
}

fn tokens(
    app: &App,
    granted: &Granted,
    scope: &str,
    wants_client_info: bool,
) -> Result<Tokens, OAuthError> {
    let Granted { person, nonce, .. } = granted;
    let (now, tenant) = (clock::now(), app.policy().registry.tenant.clone());
    let failed = |error| refused(RouteError::from(error));
    let lifetime = person.access_lifetime(now);
    let audience = audience(app, scope)?;
    let access_token = person.access_token(&app.issuer, &audience, &tenant, now).map_err(failed)?;
    let has = |word| scope.split(' ').any(|known| known == word);
    let refresh = || person.refresh_token(&app.issuer, &tenant, now);
    let refresh_token = has("offline_access").then(refresh).transpose().map_err(failed)?;
    let authority = authority_of(app, &tenant);
    let id_token = || person.id_token(&app.issuer, (&authority, &tenant), nonce.as_deref(), now);
    let id_token = has("openid").then(id_token).transpose().map_err(failed)?;
    let client_info = object!({ "uid": person.object_id(), "utid": tenant }).to_string();
    Ok(Tokens {
        token_type: "Bearer",
        scope: scope.to_owned(),
        expires_in: lifetime,
        ext_expires_in: lifetime,
        access_token,
        refresh_token,
        id_token,
        client_info: wants_client_info.then(|| URL_SAFE_NO_PAD.encode(client_info)),
    })
}

const fn invalid_grant(description: &'static str) -> OAuthError {
    OAuthError::bad_request("invalid_grant", description)
}

const fn slow_down() -> OAuthError {
    OAuthError::bad_request("slow_down", "ask less often")
}

const fn expired() -> OAuthError {
    OAuthError::bad_request("expired_token", "the code has expired, or was used; sign in again")
}

/// The error of a person who has no rights any more, or of a server that cannot answer.
fn ended(error: RouteError, description: &'static str) -> OAuthError {
    match error {
        RouteError::Unauthorized(_) => {
            error.log();
            invalid_grant(description)
        }
        error => refused(error),
    }
}

/// The same for a sign-in that fails.
fn denied(error: RouteError) -> OAuthError {
    match error {
        RouteError::Unauthorized(_) => {
            error.log();
            let (code, description) = described(&error);
            OAuthError::bad_request(code, description)
        }
        error => refused(error),
    }
}
