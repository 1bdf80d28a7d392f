//! The `Authorization` of a request.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::http::error::RouteError;

/// The one `Authorization` of a request.
///
/// # Errors
///
/// [`RouteError::BadRequest`] for two: a proxy in front of this server may have checked the other
/// one.
pub(crate) fn authorization(headers: &HeaderMap) -> Result<Option<&HeaderValue>, RouteError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(RouteError::BadRequest("two Authorization headers; send one")),
    }
}
