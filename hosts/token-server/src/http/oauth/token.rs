//! `GET` and `POST /oauth2/token`.
//!
//! Follows
//! <https://github.com/distribution/distribution/blob/main/docs/content/spec/auth/token.md>,
//! `oauth.md` beside it, and Azure Container Registry where its clients need more: the password
//! grant without a user, and the null GUID.
//!
//! Under some user names the password is a token of a provider or of the authority
//! (`domain/token_password.rs`). Then a GET gives a refresh token too where it is asked
//! for, so that a client which stores it, such as docker, pulls on when the token has expired.
//!
//! A request for more access than the principal has is not an error: the token holds the granted
//! part. Every request has one line in the decision log, whatever its outcome.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use scopegate_api::access::AccessEntry;
use scopegate_api::claims::PrincipalKind;
use scopegate_api::decision::DecisionReport;
use scopegate_api::token::TokenResponse;
use scopegate_host::setting::Compatibility;
use serde_json::value::RawValue;

use super::parameters::Parameters;
use super::{ANOTHER_SERVICE, AuditedRequest, refresh_token};
use crate::app::App;
use crate::clock;
use crate::domain::issue::Granted;
use crate::domain::lifetimes::{ACCESS_LIFETIME, ANONYMOUS_LIFETIME};
use crate::domain::principal::{Authenticated, Credentials, Presented, Principal};
use crate::domain::token_password;
use crate::http::authorization::authorization;
use crate::http::context::Context;
use crate::http::error::RouteError;
use crate::telemetry::decision::Decision;

/// `GET /oauth2/token`
///
/// # Errors
///
/// [`RouteError`] when the request is refused.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    context: Context,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, RouteError> {
    let parameters = Parameters::of_get(query.as_deref());
    let style = GrantStyle {
        credentials: of_get(&headers),
        offline_param: "offline_token",
        offline_value: "true",
        issues_refresh: false,
    };
    respond(&app, &context, &parameters, style).await
}

/// `POST /oauth2/token`
///
/// # Errors
///
/// [`RouteError`] when the request is refused.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    context: Context,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, RouteError> {
    let parameters = match Parameters::of_post(query.as_deref(), &body) {
        Ok(parameters) => parameters,
        Err(error) => return Err(AuditedRequest::new(&app, &context, &[]).refused(error)),
    };
    let credentials = of_post(&parameters, &headers);
    let style = GrantStyle {
        credentials,
        offline_param: "access_type",
        offline_value: "offline",
        issues_refresh: true,
    };
    respond(&app, &context, &parameters, style).await
}

/// What differs between a GET and a POST.
struct GrantStyle {
    credentials: Result<Credentials, RouteError>,
    /// The parameter that requests a refresh token, and its value for that.
    offline_param: &'static str,
    offline_value: &'static str,
    issues_refresh: bool,
}

fn of_get(headers: &HeaderMap) -> Result<Credentials, RouteError> {
    match authorization(headers)? {
        Some(value) => Ok(Credentials::basic(value.as_bytes())?),
        None => Ok(Credentials::None),
    }
}

fn of_post(parameters: &Parameters<'_>, headers: &HeaderMap) -> Result<Credentials, RouteError> {
    match (parameters.one("grant_type")?, authorization(headers)?) {
        (Some("refresh_token"), _) => {
            let token = parameters.one("refresh_token")?.ok_or(RouteError::BadRequest(
                "a refresh grant without a refresh_token; send one",
            ))?;
            Ok(Credentials::Refresh(token.to_owned()))
        }
        (Some("password"), _) => password_grant(parameters),
        (Some(_), _) => {
            Err(RouteError::BadRequest("an unknown grant_type; send password or refresh_token"))
        }
        (None, Some(value)) => Ok(Credentials::basic(value.as_bytes())?),
        (None, None) => Err(RouteError::BadRequest(
            "no grant_type; send a form with grant_type=password or refresh_token",
        )),
    }
}

/// The credentials of a password grant; none for an anonymous client.
fn password_grant(parameters: &Parameters<'_>) -> Result<Credentials, RouteError> {
    match (parameters.one("username")?, parameters.one("password")?) {
        (Some(name), Some(password)) => {
            Ok(Credentials::Password { name: name.to_owned(), password: password.to_owned() })
        }
        (None, None) => Ok(Credentials::None),
        _ => Err(RouteError::BadRequest(
            "a password grant with half of the credentials; send username and password",
        )),
    }
}

/// The outcome of a request.
struct Issued {
    principal: Principal,
    report: DecisionReport,
    /// The repositories of the claim `untag`.
    untag: Vec<String>,
    body: TokenResponse<Box<RawValue>>,
}

async fn respond(
    app: &App,
    context: &Context,
    parameters: &Parameters<'_>,
    style: GrantStyle,
) -> Result<Response, RouteError> {
    let scopes: Vec<&str> = parameters.all("scope").collect();
    let request = AuditedRequest::new(app, context, &scopes);
    match issue(app, (context.address, &request.presented), parameters, &scopes, style).await {
        Ok(Issued { principal, report, untag, body }) => {
            Ok(request.granted(&principal, body.access_token.get(), &body, |decision| {
                describe(decision, app, &principal, &report);
                decision.untag = untag;
                decision.issued();
            }))
        }
        Err(error) => Err(request.refused(error)),
    }
}

async fn issue(
    app: &App,
    (address, presented): (IpAddr, &Presented),
    parameters: &Parameters<'_>,
    scopes: &[&str],
    style: GrantStyle,
) -> Result<Issued, RouteError> {
    if parameters.one("service")?.is_some_and(|service| service != app.issuer.service) {
        return Err(RouteError::BadRequest(ANOTHER_SERVICE));
    }
    let now = clock::now();
    app.check_snapshot(now)?;
    let policy = Arc::clone(&app.policy());
    let authenticator = app.authenticator(&policy).noting(presented);
    let authenticated = token_password::authenticate(
        authenticator,
        style.credentials?,
        app.settings.management_url(),
        address,
        now,
    )
    .await?;
    let Authenticated { principal, refresh_token: presented_token, token_expiry } = authenticated;
    let report = app.decider().decide(&principal, scopes)?;
    let wants_refresh = parameters.is(style.offline_param, style.offline_value)?;
    // With a refresh token the client has no use for the other any more.
    let token_expiry_bound = token_expiry.filter(|_| !wants_refresh);
    let lifetime = lifetime(&principal, token_expiry_bound, now);
    let rid = &policy.registry.rid;
    let untag = app.decider().untag(&principal, &report)?;
    let granted = Granted { access: report.access.clone(), untag: untag.clone() };
    let token = app.issuer.access_token(&principal.to_subject(), rid, granted, lifetime, now)?;
    let token = as_json(&token)?;
    // A GET issues no refresh token for a password of ours: docker asks for one at every login, and
    // would store it instead of a password that is valid for longer. A provider's token is not
    // valid for longer. A presented one is returned; a POST issues one, as the specification says.
    let issues_refresh = style.issues_refresh || token_expiry.is_some();
    let refresh_token = match presented_token {
        Some(token) => wants_refresh.then_some(token),
        None if wants_refresh && issues_refresh && principal.is_refreshable() => {
            Some(refresh_token(app, &principal, rid, now)?)
        }
        None => None,
    };
    let is_whole = app.settings.compatibility == Compatibility::None;
    let body = TokenResponse {
        token: is_whole.then(|| token.clone()),
        access_token: token,
        expires_in: is_whole.then(|| lifetime.unsigned_abs()),
        issued_at: is_whole.then(|| clock::rfc3339(now)),
        refresh_token,
    };
    Ok(Issued { principal, report, untag, body })
}

/// A token as JSON: the token in quotes. The library checks raw JSON quickly, but escapes a text
/// byte by byte, and the answer has the token twice: 11,000 of the instructions of a request.
fn as_json(token: &str) -> Result<Box<RawValue>, RouteError> {
    let json = RawValue::from_string(["\"", token, "\""].concat());
    json.map_err(|_| RouteError::Signing("a token that is not a text of JSON".to_owned()))
}

/// The lifetime of the token, in seconds: short for an anonymous client, and no longer than the
/// presented token or password.
fn lifetime(principal: &Principal, token_expiry: Option<i64>, now: i64) -> i64 {
    let lifetime = match principal.kind {
        PrincipalKind::Anonymous => ANONYMOUS_LIFETIME,
        _ => ACCESS_LIFETIME,
    };
    let ends = principal.ends_at().into_iter().chain(token_expiry);
    ends.fold(lifetime, |lifetime, end| lifetime.min(end.saturating_sub(now)))
}

/// Adds the decision and its rules, when the decision log is on.
fn describe(
    decision: &mut Decision<'_>,
    app: &App,
    principal: &Principal,
    report: &DecisionReport,
) {
    if !tracing::enabled!(target: "decision", tracing::Level::INFO) {
        return;
    }
    let list = |entries: &[AccessEntry]| entries.iter().map(ToString::to_string).collect();
    decision.granted = list(&report.access);
    decision.denied = list(&report.denied);
    let error_text =
        report.invalid.iter().map(|piece| format!("{}: {}", piece.scope, piece.message));
    decision.invalid = error_text.collect();
    decision.rules = app.decider().rules(principal, &decision.granted);
}
