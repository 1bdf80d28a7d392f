//! Reading a body: JSON, with an error that says where it is wrong.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;

use super::error::ManagementError;

/// A body. An empty one is read as `{}`, because clients send none where everything in it may be left out.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ManagementError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ManagementError> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|error| ManagementError::BadRequest(error.body_text()))?;
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(text).map(Self).map_err(|error| {
            ManagementError::BadRequest(format!("the body cannot be read: {error}"))
        })
    }
}
