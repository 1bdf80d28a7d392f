//! `POST /oauth2/revoke`: ends one refresh token.
//!
//! Follows RFC 7009. Who holds a refresh token may end it, as with a public client. Credentials
//! that are sent besides must be right, and the token's own principal's (section 2.1). A token that
//! is not ours, or has ended, is answered like one that was revoked. It costs its sender as much as
//! a wrong password where this server did not sign it.
//!
//! A token of another type is refused with `unsupported_token_type`: verifiers do not ask this
//! server about each access token, so it ends with its principal.
//!
//! Left out: access tokens that were issued for the refresh token. They end within the hour, or
//! with their principal.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use scopegate_api::claims::RefreshClaims;
use serde_json::json as object;

use super::AuditedRequest;
use super::oauth_error::{OAuthError, challenge, invalid_request, refused};
use super::parameters::Parameters;
use crate::app::App;
use crate::app::watch::{commit, has_changed};
use crate::clock;
use crate::domain::edit::{self, EditError};
use crate::domain::issue::revocable::Revocable;
use crate::domain::principal::{Credentials, kind_name};
use crate::domain::reason::Reason;
use crate::http::answer::json;
use crate::http::authorization::authorization;
use crate::http::context::Context;
use crate::http::error::RouteError;
use crate::model::audit::Actor;
use crate::model::principal_id::PrincipalId;
use crate::telemetry::decision::{Decision, Principal};

/// What became of a token. The client reads the same of each but of another principal's.
enum Outcome {
    Revoked(Box<RefreshClaims>),
    /// The client is not its principal. This is answered whether or not it was revoked before.
    NotOwn(Box<RefreshClaims>),
    Ignored(Reason),
}

/// `POST /oauth2/revoke`
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    context: Context,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = AuditedRequest::new(&app, &context, &[]);
    let outcome = match form(query.as_deref(), &body) {
        Ok(form) => revoke(&app, &context, &headers, &form).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(outcome) => {
            log(&outcome, request.decision());
            if matches!(outcome, Outcome::Ignored(Reason::NotSigned)) {
                app.guard.failed(context.address);
            }
            answer(&outcome)
        }
        Err(error) => {
            if error.status == StatusCode::UNAUTHORIZED {
                app.guard.failed(context.address);
            }
            challenge(error)
        }
    }
}

fn answer(outcome: &Outcome) -> Response {
    match outcome {
        Outcome::Revoked(_) | Outcome::Ignored(_) => json(StatusCode::OK, &object!({})),
        Outcome::NotOwn(_) => challenge(OAuthError::bad_request(
            "invalid_grant",
            "the refresh token of another; send it without credentials, or with its own",
        )),
    }
}

/// The form. A token in the query would be in logs.
fn form<'r>(query: Option<&'r str>, body: &'r [u8]) -> Result<Parameters<'r>, OAuthError> {
    const IN_QUERY: OAuthError =
        OAuthError::invalid("a token or a secret in the query; send it in the form");
    let in_query = Parameters::of_post(query, &[]).map_err(|_| IN_QUERY)?;
    if in_query.all("token").next().is_some() {
        return Err(IN_QUERY);
    }
    Parameters::of_post(None, body).map_err(invalid_request)
}

async fn revoke(
    app: &App,
    context: &Context,
    headers: &HeaderMap,
    form: &Parameters<'_>,
) -> Result<Outcome, OAuthError> {
    let now = clock::now();
    let client = client(app, context, credentials(headers, form)?, now).await.map_err(refused)?;
    form.one("token_type_hint").map_err(invalid_request)?;
    let token = form.one("token").map_err(invalid_request)?.filter(|token| !token.is_empty());
    let token = token.ok_or(OAuthError::invalid("no token; send the refresh token in the form"))?;
    match known(app, token, now).await.map_err(refused)? {
        Revocable::Refresh(claims)
            if client.is_some_and(|client| client != PrincipalId::from(&*claims)) =>
        {
            Ok(Outcome::NotOwn(claims))
        }
        Revocable::Refresh(claims) => store(app, context, claims, now).await.map_err(refused),
        Revocable::OtherType => Err(OAuthError::bad_request(
            "unsupported_token_type",
            "only a refresh token is revoked by itself; an access token ends with its principal",
        )),
        Revocable::Ended => Ok(Outcome::Ignored(Reason::TokenEnded)),
        Revocable::Foreign => Ok(Outcome::Ignored(Reason::NotSigned)),
    }
}

/// Who authenticated; `None` for a holder without credentials.
async fn client(
    app: &App,
    context: &Context,
    credentials: Credentials,
    now: i64,
) -> Result<Option<PrincipalId>, RouteError> {
    if credentials == Credentials::None {
        return Ok(None);
    }
    app.check_snapshot(now)?;
    let policy = Arc::clone(&app.policy());
    let authenticator = app.authenticator(&policy);
    let client = authenticator.authenticate(credentials, context.address, now).await?;
    Ok(Some(client.principal.id()))
}

/// The credentials of a client that has some (RFC 6749, section 2.3.1).
fn credentials(headers: &HeaderMap, form: &Parameters<'_>) -> Result<Credentials, OAuthError> {
    let one = |name| form.one(name).map_err(invalid_request);
    let (name, secret) = (one("client_id")?, one("client_secret")?);
    let header = authorization(headers)
        .map_err(|_| OAuthError::invalid("two Authorization headers; send one"))?;
    match (header, name, secret) {
        (Some(_), _, Some(_)) => {
            Err(OAuthError::invalid("credentials in the header and in the form; send one"))
        }
        (Some(value), _, None) => Credentials::basic(value.as_bytes())
            .map_err(|reason| refused(RouteError::Unauthorized(reason))),
        (None, Some(name), Some(secret)) => {
            Ok(Credentials::Password { name: name.to_owned(), password: secret.to_owned() })
        }
        (None, None, Some(_)) => Err(OAuthError::invalid("a client_secret without a client_id")),
        // A public client may name itself.
        (None, _, None) => Ok(Credentials::None),
    }
}

/// What the token is. Another server may have just made the key that signed it.
async fn known(app: &App, token: &str, now: i64) -> Result<Revocable, RouteError> {
    let policy = Arc::clone(&app.policy());
    let first = app.issuer.revocable(token, now);
    let is_known = matches!(first, Revocable::Refresh(_) | Revocable::OtherType);
    if is_known || !has_changed(app, &policy, false).await? {
        return Ok(first);
    }
    Ok(app.issuer.revocable(token, now))
}

/// Writes the revocation, once.
async fn store(
    app: &App,
    context: &Context,
    claims: Box<RefreshClaims>,
    now: i64,
) -> Result<Outcome, RouteError> {
    if app.policy().is_revoked(&claims.jti) {
        return Ok(Outcome::Ignored(Reason::RefreshTokenRevoked));
    }
    if app.readiness.is_gone() {
        return Err(RouteError::Unavailable("the database does not answer".into()));
    }
    app.guard.check_revocation(&PrincipalId::from(&*claims))?;
    let unavailable = |error: EditError| RouteError::Unavailable(error.to_string());
    let store = app.store.by(holder(&claims, context));
    let mut write = store.write().await.map_err(EditError::from).map_err(unavailable)?;
    edit::revoke::refresh_token(&mut write, &claims, now).await.map_err(unavailable)?;
    commit(app, write).await.map_err(EditError::from).map_err(unavailable)?;
    Ok(Outcome::Revoked(claims))
}

/// Who holds the token, as the audit trail names it: its principal.
fn holder(claims: &RefreshClaims, context: &Context) -> Actor {
    let actor = Actor {
        kind: claims.principal.map_or("unknown", kind_name).to_owned(),
        name: claims.sub.clone(),
        provider: claims.identity.as_ref().map(|identity| identity.provider.clone()),
        ..Actor::default()
    };
    actor.by_request(context.address, &context.correlation_id)
}

fn log<'a>(outcome: &'a Outcome, mut decision: Decision<'a>) {
    if let Outcome::Revoked(claims) | Outcome::NotOwn(claims) = outcome {
        decision.principal = claims.principal.map(|kind| Principal {
            kind: kind_name(kind),
            name: &claims.sub,
            provider: claims.identity.as_ref().map(|identity| identity.provider.as_str()),
        });
        decision.presented_jti = Some(&claims.jti);
    }
    match outcome {
        Outcome::Revoked(_) => decision.revoked(),
        Outcome::NotOwn(_) => {
            let reason = Reason::NotOwnToken;
            decision.refused(reason.code(), reason.sentence());
        }
        Outcome::Ignored(reason) => decision.ignored(reason.code(), reason.sentence()),
    }
}
