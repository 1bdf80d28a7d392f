//! Refusals, and their one mapping to status codes.
//!
//! The client's text and the log's are separate: a client never learns whether a name exists.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use scopegate_api::errors::RegistryErrors;
use scopegate_host::rate::TooMany;

use crate::app::StaleSnapshot;
use crate::app::watch::DatabaseGone;
use crate::domain::decision::DecisionError;
use crate::domain::guard::redemption::RedemptionError;
use crate::domain::identity::IdentityError;
use crate::domain::issue::SignError;
use crate::domain::principal::AuthError;
use crate::domain::reason::Reason;
use crate::http::answer::{json, too_many};

/// Why a request got no token.
#[derive(Debug)]
pub enum RouteError {
    /// The request is malformed; the text tells the client why.
    BadRequest(&'static str),
    /// Authentication failed; the reason is for the log alone.
    Unauthorized(Reason),
    /// The engine has no free instance, or failed; the text is for the log alone.
    Engine(String),
    /// A token could not be signed; the text is for the log alone.
    Signing(String),
    /// Too many requests in this name.
    TooMany(TooMany),
    /// A dependency does not answer; the text is for the log alone.
    Unavailable(String),
}

impl From<TooMany> for RouteError {
    fn from(error: TooMany) -> Self {
        Self::TooMany(error)
    }
}

impl From<SignError> for RouteError {
    fn from(SignError(reason): SignError) -> Self {
        Self::Signing(reason)
    }
}

impl From<Reason> for RouteError {
    fn from(reason: Reason) -> Self {
        Self::Unauthorized(reason)
    }
}

impl From<AuthError> for RouteError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Refused(reason) => Self::Unauthorized(reason),
            AuthError::TooMany(error) => Self::TooMany(error),
            AuthError::Engine(text) => Self::Engine(text),
            AuthError::Unavailable(text) => Self::Unavailable(text),
        }
    }
}

impl From<IdentityError> for RouteError {
    fn from(error: IdentityError) -> Self {
        AuthError::from(error).into()
    }
}

impl From<RedemptionError> for RouteError {
    fn from(error: RedemptionError) -> Self {
        match error {
            RedemptionError::RefusedBefore => Self::Unauthorized(Reason::RefusedBefore),
            RedemptionError::TooMany(error) => Self::TooMany(error),
        }
    }
}

impl From<DecisionError> for RouteError {
    fn from(error: DecisionError) -> Self {
        match error {
            DecisionError::TooManyScopes => {
                Self::BadRequest("too many scopes, or one that is too long; ask for fewer at once")
            }
            DecisionError::Engine(text) => Self::Engine(text),
        }
    }
}

impl From<StaleSnapshot> for RouteError {
    fn from(_: StaleSnapshot) -> Self {
        Self::Unavailable("the policy is too old to decide by".into())
    }
}

impl From<DatabaseGone> for RouteError {
    fn from(DatabaseGone(text): DatabaseGone) -> Self {
        Self::Unavailable(text)
    }
}

impl RouteError {
    /// The status code of this error.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Engine(_) | Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Signing(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The code of the reason: for metrics and the decision log.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "invalid_request",
            Self::Unauthorized(reason) => reason.code(),
            Self::TooMany(_) => "rate_limited",
            Self::Engine(_) => "engine_failed",
            Self::Signing(_) => "signing_failed",
            Self::Unavailable(_) => "unavailable",
        }
    }

    /// The same as a sentence, for the log.
    #[must_use]
    pub fn detail(&self) -> &'static str {
        match self {
            Self::BadRequest(message) => message,
            Self::Unauthorized(reason) => reason.sentence(),
            Self::TooMany(_) => "too many requests in one name",
            Self::Engine(_) => "the engine made no decision",
            Self::Signing(_) => "no token could be signed",
            Self::Unavailable(_) => "something does not answer",
        }
    }

    /// The code and the message that a client reads.
    fn public(&self) -> (&'static str, &str) {
        match self {
            Self::BadRequest(message) => ("UNSUPPORTED", message),
            Self::Unauthorized(_) => ("UNAUTHORIZED", "authentication required"),
            Self::Engine(_) => ("UNAVAILABLE", "no decision could be made, try again"),
            Self::Signing(_) => ("UNKNOWN", "no token could be issued"),
            Self::TooMany(_) => ("TOOMANYREQUESTS", "too many requests, try again later"),
            Self::Unavailable(_) => ("UNAVAILABLE", "this cannot be answered now, try again"),
        }
    }

    /// Logs the reason.
    pub fn log(&self) {
        match self {
            // The decision log has these, for its requests.
            Self::BadRequest(_) | Self::Unauthorized(_) | Self::TooMany(_) => {
                tracing::debug!(reason = self.reason(), detail = self.detail(), "refused");
            }
            Self::Engine(text) | Self::Signing(text) | Self::Unavailable(text) => {
                tracing::error!(reason = self.reason(), detail = text, "no token");
            }
        }
    }
}

impl IntoResponse for RouteError {
    fn into_response(self) -> Response {
        self.log();
        if let Self::TooMany(error) = self {
            return too_many(error);
        }
        let (code, message) = self.public();
        let body = RegistryErrors::one(code, message);
        let mut response = json(self.status(), &body);
        if matches!(self, Self::Unauthorized(_)) {
            let basic = HeaderValue::from_static("Basic realm=\"scopegate\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, basic);
        }
        response
    }
}
