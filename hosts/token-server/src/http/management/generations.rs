//! Which tokens are revoked.
//!
//! Every token carries its principal and that principal's generation. This list has the principals
//! with a newer one, so that verifiers can refuse older tokens before they expire. Poll about once
//! a second with the revision of the last answer; the list is served from memory.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use scopegate_api::generations::{MEDIA_TYPE, VERSION};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::ReadFeeds;
use super::body::Query;
use super::error::{ErrorResponse, ManagementError};
use crate::app::App;
use crate::domain::generations::{Generation, changed};
use crate::http::negotiate::accepts;
use crate::store::Revision;

/// The start of the list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Since {
    /// The revision of the last answer; all principals, when left out.
    #[serde(default)]
    since: Revision,
}

/// What changed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Generations {
    /// 2; left out in version 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The epoch of the database; left out in version 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
    /// The `since` of the next request.
    pub revision: Revision,
    /// Whether this is the full list, which replaces earlier answers.
    pub is_everything: bool,
    /// Principals with a generation newer than `since`.
    pub changed: Vec<Generation>,
}

/// Lists principals with a new generation.
///
/// With `application/vnd.scopegate.generations.v2+json` in `Accept` identities are listed by their
/// provider and their subject; without, all of them are one, as in the previous release.
///
/// # Errors
///
/// [`ManagementError`]: no access to feeds.
#[utoipa::path(get, path = "/generations", tag = "edge", operation_id = "generations_list",
    params(Since),
    responses((status = 200, body = Generations), (status = "default", body = ErrorResponse)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    _: ReadFeeds,
    Query(Since { since }): Query<Since>,
    asked: HeaderMap,
) -> Result<Response, ManagementError> {
    let is_newest = accepts(&asked, MEDIA_TYPE);
    let policy = Arc::clone(&app.policy());
    let revision = policy.revision();
    let is_everything = policy.registry.must_be_read_whole(since);
    let since = if is_everything { 0 } else { since };
    let changed = changed(app.directory(&policy), since, is_newest);
    let version = is_newest.then_some(VERSION);
    let epoch = is_newest.then(|| policy.registry.epoch.clone());
    let answer = Json(Generations { version, epoch, revision, is_everything, changed });
    let vary = [(header::VARY, HeaderValue::from_static("accept"))];
    if is_newest {
        return Ok((vary, [(header::CONTENT_TYPE, MEDIA_TYPE)], answer).into_response());
    }
    Ok((vary, answer).into_response())
}
