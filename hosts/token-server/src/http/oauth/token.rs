//! `GET` and `POST /oauth2/token`.
//!
//! Follows
//! <https://github.com/distribution/distribution/blob/main/docs/content/spec/auth/token.md>,
//! `oauth.md` beside it, and Azure Container Registry where its clients need more: the password
//! grant without a user, and the null GUID.
//!
//! Asking for more than one may have is not an error: the token holds what may be had. Every
//! request leaves one line in the decision log, whatever comes of it.

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
use serde_json::value::RawValue;

use super::parameters::Parameters;
use super::{ANOTHER_SERVICE, Asked, refresh_token};
use crate::app::App;
use crate::clock;
use crate::domain::lifetimes::{ACCESS_LIFETIME, ANONYMOUS_LIFETIME};
use crate::domain::principal::{Authenticated, Credentials, Principal};
use crate::http::authorization::authorization;
use crate::http::context::Context;
use crate::http::error::RouteError;
use crate::telemetry::decision::Decision;

/// `GET /oauth2/token`
///
/// # Errors
///
/// [`RouteError`] for whoever gets no token.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    context: Context,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, RouteError> {
    let parameters = Parameters::of_get(query.as_deref());
    let way = Way {
        credentials: of_get(&headers),
        offline: "offline_token",
        yes: "true",
        makes_refresh_tokens: false,
    };
    answer(&app, &context, &parameters, way).await
}

/// `POST /oauth2/token`
///
/// # Errors
///
/// [`RouteError`] for whoever gets no token.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    context: Context,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, RouteError> {
    let parameters = match Parameters::of_post(query.as_deref(), &body) {
        Ok(parameters) => parameters,
        Err(error) => return Err(Asked::new(&app, &context, &[]).refused(error)),
    };
    let credentials = of_post(&parameters, &headers);
    let way =
        Way { credentials, offline: "access_type", yes: "offline", makes_refresh_tokens: true };
    answer(&app, &context, &parameters, way).await
}

/// What differs between a GET and a POST.
struct Way {
    credentials: Result<Credentials, RouteError>,
    /// The parameter that asks for a refresh token, and what it says then.
    offline: &'static str,
    yes: &'static str,
    makes_refresh_tokens: bool,
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

/// The credentials of a password grant, which has none for an anonymous client.
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

/// What came of a request.
struct Issued {
    principal: Principal,
    report: DecisionReport,
    body: TokenResponse<Box<RawValue>>,
}

async fn answer(
    app: &App,
    context: &Context,
    parameters: &Parameters<'_>,
    way: Way,
) -> Result<Response, RouteError> {
    let scopes: Vec<&str> = parameters.all("scope").collect();
    let asked = Asked::new(app, context, &scopes);
    match issue(app, context.address, parameters, &scopes, way).await {
        Ok(Issued { principal, report, body }) => {
            Ok(asked.granted(&principal, body.token.get(), &body, |decision| {
                describe(decision, app, &principal, &report);
                decision.issued();
            }))
        }
        Err(error) => Err(asked.refused(error)),
    }
}

async fn issue(
    app: &App,
    address: IpAddr,
    parameters: &Parameters<'_>,
    scopes: &[&str],
    way: Way,
) -> Result<Issued, RouteError> {
    if parameters.one("service")?.is_some_and(|service| service != app.issuer.service) {
        return Err(RouteError::BadRequest(ANOTHER_SERVICE));
    }
    let now = clock::now();
    app.check_snapshot(now)?;
    let policy = Arc::clone(&app.policy());
    let Authenticated { principal, refresh_token: brought } =
        app.authenticator(&policy).authenticate(way.credentials?, address, now).await?;
    let report = app.decider().decide(&principal, scopes)?;
    let lifetime = lifetime(&principal, now);
    let rid = &policy.registry.rid;
    let (subject, access) = (principal.to_subject(), report.access.clone());
    let token = app.issuer.access_token(&subject, rid, access, lifetime, now)?;
    let token = as_json(&token)?;
    let wants_refresh = parameters.is(way.offline, way.yes)?;
    // A GET never makes a refresh token: docker asks for one at every login, and would store it in
    // the place of a password that is good for longer. Whoever came with one gets it back; a POST
    // makes one, as the specification has it.
    let refresh_token = match brought {
        Some(token) => wants_refresh.then_some(token),
        None if wants_refresh && way.makes_refresh_tokens && principal.may_renew() => {
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
    Ok(Issued { principal, report, body })
}

/// A token as JSON, which it is with quotes around it. The library checks that quickly; to write a
/// text, it looks at each byte alone, and the answer has the token twice: 11,000 of the
/// instructions of a request.
fn as_json(token: &str) -> Result<Box<RawValue>, RouteError> {
    let json = RawValue::from_string(["\"", token, "\""].concat());
    json.map_err(|_| RouteError::Signing("a token that is no text of JSON".to_owned()))
}

/// How long the token is valid, in seconds: for an anonymous client shortly; for whoever came with
/// a token or a password no longer than that.
fn lifetime(principal: &Principal, now: i64) -> i64 {
    let lifetime = match principal.kind {
        PrincipalKind::Anonymous => ANONYMOUS_LIFETIME,
        _ => ACCESS_LIFETIME,
    };
    principal.ends_at().map_or(lifetime, |end| lifetime.min(end.saturating_sub(now)))
}

/// What was decided, and by which rules, when somebody reads it.
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
    let said = report.invalid.iter().map(|piece| format!("{}: {}", piece.scope, piece.message));
    decision.invalid = said.collect();
    decision.rules = app.decider().rules(principal, &decision.granted);
}
