//! The signed bundle for the edge.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use scopegate_api::bundle::{FIRST_VERSION, MEDIA_TYPE, VERSION};

use super::access::ReadFeeds;
use super::error::{ErrorResponse, ManagementError};
use crate::app::App;
use crate::clock;
use crate::http::error::RouteError;
use crate::http::negotiate::{accepts, has};

/// The media type: the compact form of RFC 7515.
const JOSE: &str = "application/jose";

/// Returns the compiled scope maps, their principals, and the revoked tokens, signed as tokens are.
/// Poll about once a second, with the tag of the last answer in `If-None-Match`: the answer is 304
/// while nothing has changed, and a new bundle once a minute, because a bundle is valid for five.
///
/// With `application/vnd.scopegate.bundle.v2+jose` in `Accept` it lists each identity provider with
/// its revoked identities; without, all identities are one, as in the previous release.
///
/// # Errors
///
/// [`ManagementError`]: no access to feeds; the key cannot sign.
#[utoipa::path(get, path = "/bundle", tag = "edge", operation_id = "bundle_show",
    responses((status = 200, body = String, content_type = "application/jose"), (status = 304), (status = "default", body = ErrorResponse)))]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    _: ReadFeeds,
    asked: HeaderMap,
) -> Result<Response, ManagementError> {
    let is_newest = accepts(&asked, MEDIA_TYPE);
    let (version, media_type) =
        if is_newest { (VERSION, MEDIA_TYPE) } else { (FIRST_VERSION, JOSE) };
    let signed = app.bundle(version, clock::now()).await.map_err(RouteError::from)?;
    let tag = HeaderValue::try_from(&signed.tag)
        .map_err(|error| ManagementError::Unavailable(error.to_string()))?;
    let is_known = has(&asked, &tag);
    let tag = [(header::ETAG, tag), (header::VARY, HeaderValue::from_static("accept"))];
    if is_known {
        return Ok((StatusCode::NOT_MODIFIED, tag).into_response());
    }
    Ok((tag, [(header::CONTENT_TYPE, media_type)], signed.text.to_string()).into_response())
}
