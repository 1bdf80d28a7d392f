//! Scope-map tokens.

use std::sync::Arc;

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;

use super::access::{Change, Look};
use super::body::{Body, Query};
use super::documents::{TokenBody, TokenBodyProperties, TokenResource, TokenStatus};
use super::error::{ErrorResponse, ManagementError};
use super::resource::{Ids, List, Named, PageQuery};
use crate::app::App;
use crate::app::watch::commit;
use crate::domain::edit::EditError;
use crate::domain::edit::tokens::{self, Passwords, TokenEdit};
use crate::store::TokenRecord;

/// Lists the tokens.
///
/// # Errors
///
/// [`ManagementError`]: forbidden.
#[utoipa::path(get, path = "/tokens", tag = "tokens", operation_id = "tokens_list",
    params(PageQuery),
    responses((status = 200, body = List<TokenResource>), (status = "default", body = ErrorResponse)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Look(ids): Look,
    Query(query): Query<PageQuery>,
    OriginalUri(uri): OriginalUri,
) -> Result<Json<List<TokenResource>>, ManagementError> {
    let page = query.page()?;
    let _turn = app.guard.lists.acquire().await;
    let tokens = app.store.read().await?.page::<TokenRecord>(&page).await?;
    let last = tokens.last().map(|token| token.key.clone());
    let value = tokens.into_iter().map(|token| document(&app, &ids, token)).collect();
    Ok(Json(List::page(value, &page, last, &app, &uri)))
}

/// Shows a token.
///
/// # Errors
///
/// [`ManagementError`]: forbidden; not found.
#[utoipa::path(get, path = "/tokens/{name}", tag = "tokens", operation_id = "tokens_show",
    responses((status = 200, body = TokenResource), (status = "default", body = ErrorResponse)))]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Look(ids): Look,
    Named(name): Named,
) -> Result<Json<TokenResource>, ManagementError> {
    let token = app.store.read().await?.find(&name).await?;
    let token = token.ok_or_else(|| tokens::not_found(&name))?;
    Ok(Json(document(&app, &ids, token)))
}

/// Creates or changes a token. It has no passwords until some are generated.
///
/// # Errors
///
/// [`ManagementError`]: forbidden; invalid name; unknown scope map.
#[utoipa::path(put, path = "/tokens/{name}", tag = "tokens", operation_id = "tokens_create",
    request_body = TokenBody,
    responses((status = 200, body = TokenResource), (status = 201, body = TokenResource),
        (status = "default", body = ErrorResponse)))]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    change: Change,
    Named(name): Named,
    Body(body): Body<TokenBody>,
) -> Result<(StatusCode, Json<TokenResource>), ManagementError> {
    let edit = edit(&change.ids, body.properties)?;
    let mut write = change.store.write().await?;
    let is_new = write.find::<TokenRecord>(&name).await?.is_none();
    let token = tokens::put(&mut write, &name, &app.settings.registry_name, edit).await?;
    commit(&app, write).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(document(&app, &change.ids, token))))
}

/// Changes a token.
///
/// # Errors
///
/// [`ManagementError`]: forbidden; not found; unknown scope map.
#[utoipa::path(patch, path = "/tokens/{name}", tag = "tokens", operation_id = "tokens_update",
    request_body = TokenBody,
    responses((status = 200, body = TokenResource), (status = "default", body = ErrorResponse)))]
pub(crate) async fn update(
    State(app): State<Arc<App>>,
    change: Change,
    Named(name): Named,
    Body(body): Body<TokenBody>,
) -> Result<Json<TokenResource>, ManagementError> {
    let edit = edit(&change.ids, body.properties)?;
    let mut write = change.store.write().await?;
    let token = tokens::patch(&mut write, &name, &app.settings.registry_name, edit).await?;
    commit(&app, write).await?;
    Ok(Json(document(&app, &change.ids, token)))
}

/// Deletes a token.
///
/// # Errors
///
/// [`ManagementError`]: forbidden.
#[utoipa::path(delete, path = "/tokens/{name}", tag = "tokens", operation_id = "tokens_delete",
    responses((status = 200), (status = 204), (status = "default", body = ErrorResponse)))]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    change: Change,
    Named(name): Named,
) -> Result<StatusCode, ManagementError> {
    let mut write = change.store.write().await?;
    if !tokens::delete(&mut write, &name).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    commit(&app, write).await?;
    Ok(StatusCode::OK)
}

fn edit(ids: &Ids, body: TokenBodyProperties) -> Result<TokenEdit, EditError> {
    let scope_map = match &body.scope_map_id {
        Some(id) => Some(ids.name("scopeMaps", id)?.to_owned()),
        None => None,
    };
    let passwords = body.credentials.and_then(|credentials| credentials.passwords);
    Ok(TokenEdit {
        scope_map,
        enabled: body.status.map(|status| status == TokenStatus::Enabled),
        passwords: passwords
            .map(|keep| Passwords::Keep(keep.into_iter().map(|password| password.name).collect())),
    })
}

/// The document of a token, with its map's name in its original case.
fn document(app: &App, ids: &Ids, token: TokenRecord) -> TokenResource {
    let policy = app.policy();
    let key = token.scope_map.clone();
    let map = key.as_deref().map(|key| policy.scope_map(key).map_or(key, |map| map.name.as_str()));
    TokenResource::new(ids, token, map)
}
