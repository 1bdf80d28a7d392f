//! Reads bodies and queries, with errors that name the invalid field.
//!
//! Bodies hold secrets, and one in the wrong field must not be copied into an error or the log: no
//! error quotes a value.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::IntoResponse as _;
use serde::de::DeserializeOwned;

use super::error::ManagementError;

/// The longest body: 500 actions on repositories with the longest names take some 145,000 bytes.
pub(super) const MAX: usize = 256 * 1024;

/// A JSON body. An empty one is read as `{}`, because clients send none when every field is
/// optional.
#[derive(Debug)]
pub(crate) struct Body<T>(pub T);

#[derive(Debug)]
pub(crate) struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ManagementError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ManagementError> {
        let bytes = Bytes::from_request(request, state).await.map_err(|error| {
            match error.into_response().status() {
                StatusCode::PAYLOAD_TOO_LARGE => ManagementError::TooLarge { max: MAX },
                _ => ManagementError::BadRequest("the body broke off; send it again".into()),
            }
        })?;
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(text).map(Self).map_err(|error| {
            let error = without_value(&error.to_string());
            ManagementError::BadRequest(format!("the body cannot be read: {error}"))
        })
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ManagementError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ManagementError> {
        axum::extract::Query::try_from_uri(&parts.uri).map(|query| Self(query.0)).map_err(|error| {
            let error = without_value(&error.body_text());
            ManagementError::BadRequest(format!("the query cannot be read: {error}"))
        })
    }
}

/// The expectation of an error, without the value. The library writes `invalid type: string "…",
/// expected a map at line 1`.
fn without_value(error: &str) -> String {
    match error.rsplit_once(", expected ") {
        Some((_, expected)) => format!("expected {expected}"),
        None => error.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::management::documents::{GenerateBody, SecretBody, TokenBody};

    async fn read<T: DeserializeOwned>(text: &'static str) -> String {
        let request = Request::post("/").body(text.into()).unwrap();
        match Body::<T>::from_request(request, &()).await {
            Ok(_) => "read".to_owned(),
            Err(ManagementError::BadRequest(message)) => message,
            Err(error) => panic!("{error:?}"),
        }
    }

    #[tokio::test]
    async fn errors_quote_no_value() {
        for (message, says) in [
            (read::<SecretBody>("").await, "read"),
            (read::<SecretBody>(r#"{"secret": "hunter2"}"#).await, "read"),
            (read::<SecretBody>(r#""hunter2""#).await, "expected an object at line 1"),
            (read::<SecretBody>(r#""hunter2, expected x""#).await, "expected an object"),
            (read::<SecretBody>(r#"{"secret": ["hunter2"]}"#).await, "expected a string at line 1"),
            (read::<SecretBody>(r#"["hunter2", 1]"#).await, "at line 1"),
            (read::<SecretBody>(r#"{"secret": "hunter2"#).await, "EOF while parsing a string"),
            (read::<SecretBody>("hunter2").await, "expected value at line 1"),
            (read::<TokenBody>(r#"{"properties": {"status": "hunter2"}}"#).await, "`disabled`"),
            (read::<GenerateBody>(r#"{"name": "hunter2"}"#).await, "expected one of"),
            (read::<GenerateBody>("{}").await, "missing field `tokenId`"),
        ] {
            assert!(message.contains(says), "{message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    #[tokio::test]
    async fn queries() {
        #[derive(Debug, serde::Deserialize)]
        struct Since {
            #[serde(default)]
            since: i64,
        }
        for (target, expected) in
            [("/", Some(0)), ("/?since=7&x=y", Some(7)), ("/?since=hunter2", None)]
        {
            let (mut parts, ()) = Request::get(target).body(()).unwrap().into_parts();
            let read = Query::<Since>::from_request_parts(&mut parts, &()).await;
            assert_eq!(read.as_ref().ok().map(|query| query.0.since), expected, "{target}");
            assert!(!format!("{read:?}").contains("hunter2"), "{read:?}");
        }
    }
}
