//! Reading a body and a query, with an error that says where they are wrong.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::error::ManagementError;

/// The longest body: 500 actions on repositories with the longest names take some 145,000 bytes.
pub(super) const MAX: usize = 256 * 1024;

/// A body. An empty one is read as `{}`, because clients send none where everything in it may be left out.
#[derive(Debug)]
pub struct Body<T>(pub T);

/// What a query asks for.
#[derive(Debug)]
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ManagementError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ManagementError> {
        let bytes = Bytes::from_request(request, state).await.map_err(|error| {
            if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
                ManagementError::TooLarge
            } else {
                ManagementError::BadRequest(error.body_text())
            }
        })?;
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(text).map(Self).map_err(|error| {
            ManagementError::BadRequest(format!("the body cannot be read: {error}"))
        })
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = ManagementError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ManagementError> {
        let query = Query::from_request_parts(parts, state).await;
        query.map(|Query(asked)| Self(asked)).map_err(|error| {
            ManagementError::BadRequest(format!("the query cannot be read: {}", error.body_text()))
        })
    }
}
