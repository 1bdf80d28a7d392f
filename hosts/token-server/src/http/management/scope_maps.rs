//! Scope maps.

use std::sync::Arc;

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;

use super::access::{Change, Look};
use super::body::{Body, Query};
use super::documents::{ScopeMapBody, ScopeMapResource};
use super::error::{ErrorResponse, ManagementError};
use super::resource::{List, Named, PageQuery};
use crate::app::App;
use crate::app::watch::commit;
use crate::domain::edit::scope_maps::{self, ScopeMapEdit};
use crate::store::ScopeMapRecord;

/// The maximum number of scope maps on a page: each has up to 500 actions.
const MAX_LISTED: i64 = 100;

/// Lists the scope maps.
///
/// # Errors
///
/// [`ManagementError`]: forbidden.
#[utoipa::path(get, path = "/scopeMaps", tag = "scope maps", operation_id = "scope_maps_list",
    params(PageQuery),
    responses((status = 200, body = List<ScopeMapResource>), (status = "default", body = ErrorResponse)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Look(ids): Look,
    Query(query): Query<PageQuery>,
    OriginalUri(uri): OriginalUri,
) -> Result<Json<List<ScopeMapResource>>, ManagementError> {
    let page = query.page()?.capped_at(MAX_LISTED);
    let _turn = app.guard.lists.acquire().await;
    let maps = app.store.read().await?.page::<ScopeMapRecord>(&page).await?;
    let last = maps.last().map(|map| map.key.clone());
    let value = maps.into_iter().map(|map| ScopeMapResource::new(&ids, map)).collect();
    Ok(Json(List::page(value, &page, last, &app, &uri)))
}

/// Shows a scope map.
///
/// # Errors
///
/// [`ManagementError`]: forbidden; not found.
#[utoipa::path(get, path = "/scopeMaps/{name}", tag = "scope maps", operation_id = "scope_maps_show",
    responses((status = 200, body = ScopeMapResource), (status = "default", body = ErrorResponse)))]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Look(ids): Look,
    Named(name): Named,
) -> Result<Json<ScopeMapResource>, ManagementError> {
    let map = app.store.read().await?.find(&name).await?;
    let map = map.ok_or_else(|| scope_maps::not_found(&name))?;
    Ok(Json(ScopeMapResource::new(&ids, map)))
}

/// Creates or replaces a scope map.
///
/// # Errors
///
/// [`ManagementError`]: forbidden; invalid scope map.
#[utoipa::path(put, path = "/scopeMaps/{name}", tag = "scope maps", operation_id = "scope_maps_create",
    request_body = ScopeMapBody,
    responses((status = 200, body = ScopeMapResource), (status = 201, body = ScopeMapResource),
        (status = "default", body = ErrorResponse)))]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    change: Change,
    Named(name): Named,
    Body(body): Body<ScopeMapBody>,
) -> Result<(StatusCode, Json<ScopeMapResource>), ManagementError> {
    let edit = ScopeMapEdit {
        description: Some(body.properties.description.unwrap_or_default()),
        actions: Some(body.properties.actions.unwrap_or_default()),
    };
    let mut write = change.store.write().await?;
    let is_new = write.find::<ScopeMapRecord>(&name).await?.is_none();
    let map = scope_maps::put(&mut write, &name, edit).await?;
    commit(&app, write).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(ScopeMapResource::new(&change.ids, map))))
}

/// Changes a scope map. The actions replace all of its actions.
///
/// # Errors
///
/// [`ManagementError`]: forbidden; not found; invalid scope map.
#[utoipa::path(patch, path = "/scopeMaps/{name}", tag = "scope maps", operation_id = "scope_maps_update",
    request_body = ScopeMapBody,
    responses((status = 200, body = ScopeMapResource), (status = "default", body = ErrorResponse)))]
pub(crate) async fn update(
    State(app): State<Arc<App>>,
    change: Change,
    Named(name): Named,
    Body(body): Body<ScopeMapBody>,
) -> Result<Json<ScopeMapResource>, ManagementError> {
    let edit =
        ScopeMapEdit { description: body.properties.description, actions: body.properties.actions };
    let mut write = change.store.write().await?;
    let map = scope_maps::patch(&mut write, &name, edit).await?;
    commit(&app, write).await?;
    Ok(Json(ScopeMapResource::new(&change.ids, map)))
}

/// Deletes an unused scope map.
///
/// # Errors
///
/// [`ManagementError`]: forbidden; a map that is system-defined or in use.
#[utoipa::path(delete, path = "/scopeMaps/{name}", tag = "scope maps", operation_id = "scope_maps_delete",
    responses((status = 200), (status = 204), (status = "default", body = ErrorResponse)))]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    change: Change,
    Named(name): Named,
) -> Result<StatusCode, ManagementError> {
    let mut write = change.store.write().await?;
    if !scope_maps::delete(&mut write, &name).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    commit(&app, write).await?;
    Ok(StatusCode::OK)
}
