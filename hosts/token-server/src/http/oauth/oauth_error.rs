//! Error responses of RFC 6749 (section 5.2), for the authority and for revocation.
//!
//! Left out: the registry's own token endpoints, whose clients read a registry's `errors`.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json as object;

use crate::http::answer::json;
use crate::http::error::RouteError;

/// An error response.
#[derive(Debug)]
pub(super) struct OAuthError {
    pub(super) status: StatusCode,
    error: &'static str,
    description: &'static str,
    /// After how many seconds to try again.
    retry_after: Option<u64>,
}

impl OAuthError {
    pub(super) const fn bad_request(error: &'static str, description: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error, description, retry_after: None }
    }

    /// A malformed request.
    pub(super) const fn invalid(description: &'static str) -> Self {
        Self::bad_request("invalid_request", description)
    }
}

impl OAuthError {
    /// The error and its description.
    pub(super) const fn parts(&self) -> (&'static str, &'static str) {
        (self.error, self.description)
    }

    /// The same as `az` shows it to a person: of a 400 the description, of a 503 a stack trace.
    pub(super) fn for_people(self) -> Self {
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE => Self { status: StatusCode::BAD_REQUEST, ..self },
            _ => self,
        }
    }
}

/// The error of a repeated parameter.
pub(super) fn invalid_request(_: RouteError) -> OAuthError {
    OAuthError::invalid("a repeated parameter")
}

/// One mapping for every refusal: a client learns no more than that it was refused.
pub(super) fn refused(error: RouteError) -> OAuthError {
    let status = error.status();
    error.log();
    let (error, description, retry_after) = match error {
        RouteError::Unauthorized(_) => {
            ("invalid_client", "the client id or the secret is wrong", None)
        }
        RouteError::TooMany(error) => {
            ("slow_down", "too many requests, try again later", Some(error.retry_after))
        }
        _ => ("temporarily_unavailable", "this cannot be done now, try again", Some(1)),
    };
    OAuthError { status, error, description, retry_after }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let body = object!({ "error": self.error, "error_description": self.description });
        let mut response = json(self.status, &body);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// The same for a client that sent `Authorization`, which is told how to.
pub(super) fn challenge(error: OAuthError) -> Response {
    let is_unauthorized = error.status == StatusCode::UNAUTHORIZED;
    let mut response = error.into_response();
    if is_unauthorized {
        let basic = HeaderValue::from_static("Basic realm=\"scopegate\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, basic);
    }
    response
}
