//! Errors of management, and their one mapping to status codes.
//!
//! Follows the errors of Azure Resource Manager: `{"error":{"code":…,"message":…}}`. `az` shows the
//! message, and creates the resource after the code `ResourceNotFound`.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use scopegate_host::rate::TooMany;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::watch::DatabaseGone;
use crate::domain::edit::EditError;
use crate::domain::principal::AuthError;
use crate::domain::reason::Reason;
use crate::http::answer::json;
use crate::http::error::RouteError;

/// A refusal.
#[derive(Debug)]
pub(crate) enum ManagementError {
    /// Authentication failed; the reason is for the log alone.
    Unauthenticated(Reason),
    /// The principal may not do this.
    Forbidden(&'static str),
    /// A cross-site request of a browser.
    CrossOrigin,
    /// A body that is not JSON.
    UnsupportedMediaType,
    /// The request is malformed.
    BadRequest(String),
    /// The body is longer than any valid one.
    TooLarge {
        /// The maximum, in bytes.
        max: usize,
    },
    /// A refused change.
    Edit(EditError),
    /// Too many requests in one name.
    TooMany(TooMany),
    /// An identity provider, or the engine, does not answer; the text is for the log alone.
    Unavailable(String),
}

/// The body of a refusal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorResponse {
    error: ErrorDetail,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
struct ErrorDetail {
    /// The code for programs.
    code: &'static str,
    /// The sentence for people.
    message: String,
}

impl From<EditError> for ManagementError {
    fn from(error: EditError) -> Self {
        Self::Edit(error)
    }
}

impl From<RouteError> for ManagementError {
    fn from(error: RouteError) -> Self {
        match error {
            RouteError::Unauthorized(reason) => Self::Unauthenticated(reason),
            RouteError::BadRequest(message) => Self::BadRequest(message.into()),
            RouteError::Engine(reason)
            | RouteError::Signing(reason)
            | RouteError::Unavailable(reason) => Self::Unavailable(reason),
            RouteError::TooMany(error) => Self::TooMany(error),
        }
    }
}

impl From<AuthError> for ManagementError {
    fn from(error: AuthError) -> Self {
        RouteError::from(error).into()
    }
}

impl From<Reason> for ManagementError {
    fn from(reason: Reason) -> Self {
        Self::Unauthenticated(reason)
    }
}

impl From<DatabaseGone> for ManagementError {
    fn from(error: DatabaseGone) -> Self {
        RouteError::from(error).into()
    }
}

impl From<sqlx::Error> for ManagementError {
    fn from(error: sqlx::Error) -> Self {
        Self::Edit(error.into())
    }
}

impl ManagementError {
    fn parts(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, "AuthenticationFailed"),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "AuthorizationFailed"),
            Self::CrossOrigin => (StatusCode::FORBIDDEN, "CrossOriginRequest"),
            Self::UnsupportedMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType")
            }
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "InvalidRequestContent"),
            Self::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "RequestContentTooLarge"),
            Self::Edit(EditError::Invalid(_)) => (StatusCode::BAD_REQUEST, "InvalidRequest"),
            Self::Edit(EditError::NotFound(_)) => (StatusCode::NOT_FOUND, "ResourceNotFound"),
            Self::Edit(EditError::Conflict(_)) => (StatusCode::CONFLICT, "Conflict"),
            Self::Edit(EditError::Full(_)) => (StatusCode::CONFLICT, "QuotaExceeded"),
            Self::Edit(EditError::Randomness) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError")
            }
            Self::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, "TooManyRequests"),
            Self::Edit(EditError::Database(_)) | Self::Unavailable(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable")
            }
        }
    }

    /// What a client reads.
    fn message(&self) -> String {
        match self {
            Self::Unauthenticated(_) => {
                "authentication required: send a token of `az login`, or a client id and secret"
                    .into()
            }
            Self::Forbidden(message) => (*message).into(),
            Self::CrossOrigin => {
                "a page of another site may not manage this registry: use `az`, curl, or a page of this server's publicUrl".into()
            }
            Self::UnsupportedMediaType => {
                "the body is not JSON: send it with `Content-Type: application/json`".into()
            }
            Self::BadRequest(message) => message.clone(),
            Self::TooLarge { max } => format!("the body is longer than {max} bytes"),
            Self::Edit(EditError::Database(_)) | Self::Unavailable(_) => {
                "what this needs does not answer, and a change may not have been made: look, and try again".into()
            }
            Self::TooMany(_) => "too many requests, try again later".into(),
            Self::Edit(EditError::Randomness) => "no password could be made".into(),
            Self::Edit(error) => error.to_string(),
        }
    }

    /// The header that advises the client.
    fn advice(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::Unauthenticated(_) => Some((
                header::WWW_AUTHENTICATE,
                // Never Basic: a browser would prompt for a password, and add it to cross-site
                // requests.
                HeaderValue::from_static("Bearer realm=\"scopegate management\""),
            )),
            Self::TooMany(error) => Some((header::RETRY_AFTER, error.retry_after.into())),
            Self::Unavailable(_) | Self::Edit(EditError::Database(_)) => {
                Some((header::RETRY_AFTER, HeaderValue::from_static("1")))
            }
            _ => None,
        }
    }

    fn log(&self) {
        match self {
            Self::Unauthenticated(reason) => {
                let (reason, detail) = (reason.code(), reason.sentence());
                tracing::info!(reason, detail, "not authenticated");
            }
            Self::Edit(error @ (EditError::Database(_) | EditError::Randomness)) => {
                tracing::error!(%error, "management failed");
            }
            Self::Unavailable(reason) => tracing::error!(reason, "management failed"),
            Self::Forbidden(_)
            | Self::CrossOrigin
            | Self::UnsupportedMediaType
            | Self::BadRequest(_)
            | Self::TooLarge { .. }
            | Self::TooMany(_)
            | Self::Edit(_) => {
                tracing::info!(
                    reason = self.parts().1,
                    detail = self.message(),
                    "management refused"
                );
            }
        }
    }
}

impl IntoResponse for ManagementError {
    fn into_response(self) -> Response {
        self.log();
        let (status, code) = self.parts();
        let error = ErrorDetail { code, message: self.message() };
        let mut response = json(status, &ErrorResponse { error });
        if let Some((name, value)) = self.advice() {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
