//! `GET` and `POST /oauth2/token`.
//!
//! Follows <https://github.com/distribution/distribution/blob/main/docs/content/spec/auth/token.md>, `oauth.md` beside it, and Azure Container
//! Registry where its clients need more: the password grant without a user, and the null GUID.
//!
//! Asking for more than one may have is not an error: the token holds what may be had.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use scopegate_api::claims::PrincipalKind;
use scopegate_api::decision::DecisionReport;
use scopegate_api::token::TokenResponse;
use scopegate_core::Settings;
use scopegate_runtime::{Error as EngineError, PolicyTable};

use super::parameters::Parameters;
use super::refresh_token;
use crate::app::App;
use crate::clock;
use crate::error::{RouteError, json};
use crate::issue::{ACCESS_LIFETIME, ANONYMOUS_LIFETIME};
use crate::principal::{Authenticated, Credentials, Principal, authenticate};

/// `GET /oauth2/token`
///
/// # Errors
///
/// [`RouteError`] for whoever gets no token.
pub async fn get(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, RouteError> {
    let parameters = Parameters::read(query.as_deref(), &[]);
    let credentials = match headers.get(header::AUTHORIZATION) {
        Some(value) => Credentials::basic(value.as_bytes())?,
        None => Credentials::None,
    };
    let offline = parameters.is("offline_token", "true")?;
    answer(&app, &parameters, credentials, Offline { echo: offline, issue: false }).await
}

/// `POST /oauth2/token`
///
/// # Errors
///
/// [`RouteError`] for whoever gets no token.
pub async fn post(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, RouteError> {
    let parameters = Parameters::read(query.as_deref(), &body);
    let credentials = match (parameters.one("grant_type")?, headers.get(header::AUTHORIZATION)) {
        (Some("refresh_token"), _) => match parameters.one("refresh_token")? {
            Some(token) => Credentials::Refresh(token.to_owned()),
            None => return Err(RouteError::BadRequest("a refresh grant without a refresh_token")),
        },
        (Some("password"), _) => password_grant(&parameters)?,
        (Some(_), _) => return Err(RouteError::BadRequest("an unknown grant_type")),
        (None, Some(value)) => Credentials::basic(value.as_bytes())?,
        (None, None) => return Err(RouteError::BadRequest("no grant_type")),
    };
    let offline = parameters.is("access_type", "offline")?;
    answer(&app, &parameters, credentials, Offline { echo: offline, issue: offline }).await
}

/// The credentials of a password grant, which has none for an anonymous client.
fn password_grant(parameters: &Parameters) -> Result<Credentials, RouteError> {
    match (parameters.one("username")?, parameters.one("password")?) {
        (Some(name), Some(password)) => {
            Ok(Credentials::Password { name: name.to_owned(), password: password.to_owned() })
        }
        (None, None) => Ok(Credentials::None),
        _ => Err(RouteError::BadRequest("a password grant with only half of the credentials")),
    }
}

/// What to do about a refresh token.
///
/// A GET never makes one: docker asks for one at every login, and would store it in the place of a password that is good for longer.
/// A POST makes one when its client says `access_type=offline`, as the specification has it.
#[derive(Clone, Copy)]
struct Offline {
    /// Give back the one that the client came with.
    echo: bool,
    /// Make one when it came with none.
    issue: bool,
}

async fn answer(
    app: &App,
    parameters: &Parameters,
    credentials: Credentials,
    offline: Offline,
) -> Result<Response, RouteError> {
    if parameters.one("service")?.is_some_and(|service| service != app.issuer.service) {
        return Err(RouteError::BadRequest("another service"));
    }
    let now = clock::now();
    app.check_snapshot(now)?;
    let Authenticated { principal, refresh_token: brought } =
        authenticate(credentials, app, now).await?;
    let scopes = parameters.all("scope");
    let report = decide(app, &principal, &scopes)?;
    log(&principal, &scopes, &report);
    let lifetime = lifetime(&principal, now);
    let policy = app.policy();
    let rid = &policy.registry.rid;
    let subject = principal.to_subject();
    let token = app.issuer.access_token(&subject, rid, report.access, lifetime, now)?;
    let refresh_token = match brought {
        Some(token) => offline.echo.then_some(token),
        None if offline.issue && principal.may_renew() => {
            Some(refresh_token(app, &principal, rid, now)?)
        }
        None => None,
    };
    let body = TokenResponse {
        access_token: token.clone(),
        token,
        expires_in: lifetime.unsigned_abs(),
        issued_at: clock::rfc3339(now),
        refresh_token,
    };
    Ok(json(StatusCode::OK, &body))
}

/// How long the token is valid, in seconds: for an anonymous client shortly; for whoever came with an access token no longer than that.
fn lifetime(principal: &Principal, now: i64) -> i64 {
    let lifetime = match principal.kind {
        PrincipalKind::Anonymous => ANONYMOUS_LIFETIME,
        _ => ACCESS_LIFETIME,
    };
    principal
        .at_most
        .as_ref()
        .map_or(lifetime, |at_most| lifetime.min(at_most.until.saturating_sub(now)).max(1))
}

fn decide(app: &App, principal: &Principal, scopes: &[&str]) -> Result<DecisionReport, RouteError> {
    let tables: Vec<&PolicyTable> = principal.tables.iter().collect();
    let settings = Settings { catalog: app.catalog };
    let report = app.runtime.claims(&tables, scopes, &settings);
    let mut report = report.map_err(|error| match error {
        EngineError::Refused(_) => RouteError::BadRequest("too many scopes"),
        error => RouteError::Engine(error.to_string()),
    })?;
    if let Some(at_most) = &principal.at_most {
        at_most.narrow(&mut report);
    }
    Ok(report)
}

/// The decision log: who asked for what, and what came of it.
fn log(principal: &Principal, scopes: &[&str], report: &DecisionReport) {
    let list =
        |entries: &[_]| entries.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let invalid: Vec<_> =
        report.invalid.iter().map(|piece| format!("{}: {}", piece.scope, piece.message)).collect();
    tracing::info!(
        target: "decision",
        principal = principal.subject,
        requested = scopes.join(" "),
        granted = list(&report.access),
        denied = list(&report.denied),
        invalid = invalid.join("; "),
    );
}
