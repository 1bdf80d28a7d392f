//! The `Authorization` of a request.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::http::error::RouteError;

/// The one `Authorization` of a request.
///
/// # Errors
///
/// [`RouteError::BadRequest`] for two: a proxy before this server may have looked at the other one.
pub(crate) fn authorization(headers: &HeaderMap) -> Result<Option<&HeaderValue>, RouteError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(RouteError::BadRequest("two Authorization headers; send one")),
    }
}
