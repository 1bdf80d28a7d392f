//! `GET` and `POST /oauth2/token`.
//!
//! Follows <https://github.com/distribution/distribution/blob/main/docs/content/spec/auth/token.md>, `oauth.md` beside it, and what clients
//! really send: scopes as repeated parameters and separated by spaces, in queries and in forms, in chunked bodies; parameters that
//! nobody needs are not looked at.
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
use scopegate_runtime::Error as EngineError;

use crate::app::App;
use crate::authenticate::{Credentials, Principal, authenticate};
use crate::clock;
use crate::error::{RouteError, json};
use crate::issue::{ACCESS_LIFETIME, Subject};

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
    let parameters = Parameters::read(&[query.as_deref().unwrap_or_default().as_bytes()]);
    let credentials = match headers.get(header::AUTHORIZATION) {
        Some(value) => Credentials::basic(value.as_bytes())?,
        None => Credentials::None,
    };
    let offline = parameters.is("offline_token", "true")?;
    answer(&app, &parameters, credentials, Offline { echo: offline, issue: false })
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
    let query = query.unwrap_or_default();
    let parameters = Parameters::read(&[query.as_bytes(), &body]);
    let credentials = match (parameters.one("grant_type")?, headers.get(header::AUTHORIZATION)) {
        (Some("refresh_token"), _) => match parameters.one("refresh_token")? {
            Some(token) => Credentials::Refresh(token.to_owned()),
            None => return Err(RouteError::BadRequest("a refresh grant without a refresh_token")),
        },
        (Some("password"), _) => parameters.password()?,
        (Some(_), _) => return Err(RouteError::BadRequest("an unknown grant_type")),
        (None, Some(value)) => Credentials::basic(value.as_bytes())?,
        (None, None) => return Err(RouteError::BadRequest("no grant_type")),
    };
    let offline = parameters.is("access_type", "offline")?;
    answer(&app, &parameters, credentials, Offline { echo: offline, issue: offline })
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

fn answer(
    app: &App,
    parameters: &Parameters,
    credentials: Credentials,
    offline: Offline,
) -> Result<Response, RouteError> {
    if parameters.one("service")?.is_some_and(|service| service != app.issuer.service) {
        return Err(RouteError::BadRequest("another service"));
    }
    let (now, policy) = (clock::now(), app.policy());
    let principal = authenticate(credentials, &policy, &app.issuer, now)?;
    let scopes = parameters.all("scope");
    let report = decide(app, &principal, &scopes)?;
    log(&principal, &scopes, &report);
    let subject = Subject::new(&principal.token.name, PrincipalKind::Token, 0);
    let rid = &policy.rid;
    let token = app.issuer.access_token(&subject, rid, report.access, ACCESS_LIFETIME, now)?;
    let refresh_token = match principal.refresh_token {
        Some(token) => offline.echo.then_some(token),
        None if offline.issue => Some(app.issuer.refresh_token(&subject, rid, now)?),
        None => None,
    };
    let body = TokenResponse {
        access_token: token.clone(),
        token,
        expires_in: ACCESS_LIFETIME.unsigned_abs(),
        issued_at: clock::rfc3339(now),
        refresh_token,
    };
    Ok(json(StatusCode::OK, &body))
}

fn decide(app: &App, principal: &Principal, scopes: &[&str]) -> Result<DecisionReport, RouteError> {
    let tables: Vec<_> = principal.token.table.iter().collect();
    let settings = Settings { catalog: app.catalog };
    app.runtime.claims(&tables, scopes, &settings).map_err(|error| match error {
        EngineError::Refused(_) => RouteError::BadRequest("too many scopes"),
        error => RouteError::Engine(error.to_string()),
    })
}

/// The decision log: who asked for what, and what came of it.
fn log(principal: &Principal, scopes: &[&str], report: &DecisionReport) {
    let list =
        |entries: &[_]| entries.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let invalid: Vec<_> =
        report.invalid.iter().map(|piece| format!("{}: {}", piece.scope, piece.message)).collect();
    tracing::info!(
        target: "decision",
        token = principal.token.name,
        requested = scopes.join(" "),
        granted = list(&report.access),
        denied = list(&report.denied),
        invalid = invalid.join("; "),
    );
}

/// The parameters of a request, from its query and its form.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn read(sources: &[&[u8]]) -> Self {
        let pairs = sources.iter().flat_map(|source| form_urlencoded::parse(source));
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect()
    }

    /// A parameter that may stand once. Twice is refused when the values differ: two readers could disagree about it.
    fn one(&self, name: &str) -> Result<Option<&str>, RouteError> {
        let values = self.all(name);
        let first = values.first().copied();
        if values.iter().any(|value| Some(*value) != first) {
            return Err(RouteError::BadRequest("a parameter that stands twice"));
        }
        Ok(first)
    }

    fn is(&self, name: &str, value: &str) -> Result<bool, RouteError> {
        Ok(self.one(name)? == Some(value))
    }

    /// The credentials of a password grant, which has none for an anonymous client.
    fn password(&self) -> Result<Credentials, RouteError> {
        match (self.one("username")?, self.one("password")?) {
            (Some(name), Some(password)) => {
                Ok(Credentials::Password { name: name.to_owned(), password: password.to_owned() })
            }
            (None, None) => Ok(Credentials::None),
            _ => Err(RouteError::BadRequest("a password grant with only half of the credentials")),
        }
    }
}
