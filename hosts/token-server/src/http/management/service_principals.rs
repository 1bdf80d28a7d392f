//! Service principals. Azure Resource Manager has none; in the cloud they belong to the identity
//! provider.

use std::sync::Arc;

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;

use super::access::{GiveRoles, Look};
use super::body::{Body, Query};
use super::documents::{
    SecretBody, SecretDocument, ServicePrincipalBody, ServicePrincipalResource,
};
use super::error::{ErrorResponse, ManagementError};
use super::resource::{List, Named, PageQuery};
use crate::app::App;
use crate::app::watch::commit;
use crate::domain::edit::service_principals::{self, ServicePrincipalEdit};
use crate::store::ServicePrincipalRecord;

/// Lists the service principals.
///
/// # Errors
///
/// [`ManagementError`]: forbidden.
#[utoipa::path(get, path = "/servicePrincipals", tag = "service principals",
    operation_id = "service_principals_list", params(PageQuery),
    responses((status = 200, body = List<ServicePrincipalResource>), (status = "default", body = ErrorResponse)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Look(ids): Look,
    Query(query): Query<PageQuery>,
    OriginalUri(uri): OriginalUri,
) -> Result<Json<List<ServicePrincipalResource>>, ManagementError> {
    let page = query.page()?;
    let _turn = app.guard.lists.acquire().await;
    let principals = app.store.read().await?.page::<ServicePrincipalRecord>(&page).await?;
    let last = principals.last().map(|principal| principal.key.clone());
    let value = principals.into_iter().map(|p| ServicePrincipalResource::new(&ids, p)).collect();
    Ok(Json(List::page(value, &page, last, &app, &uri)))
}

/// Shows a service principal.
///
/// # Errors
///
/// [`ManagementError`]: forbidden; not found.
#[utoipa::path(get, path = "/servicePrincipals/{name}", tag = "service principals",
    operation_id = "service_principals_show",
    responses((status = 200, body = ServicePrincipalResource), (status = "default", body = ErrorResponse)))]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Look(ids): Look,
    Named(name): Named,
) -> Result<Json<ServicePrincipalResource>, ManagementError> {
    let principal = app.store.read().await?.find(&name).await?;
    let principal = principal.ok_or_else(|| service_principals::not_found(&name))?;
    Ok(Json(ServicePrincipalResource::new(&ids, principal)))
}

/// Creates or changes a service principal.
///
/// # Errors
///
/// [`ManagementError`]: forbidden; invalid client id; unknown role or scope map.
#[utoipa::path(put, path = "/servicePrincipals/{name}", tag = "service principals",
    operation_id = "service_principals_create", request_body = ServicePrincipalBody,
    responses((status = 200, body = ServicePrincipalResource), (status = "default", body = ErrorResponse)))]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    change: GiveRoles,
    Named(name): Named,
    Body(body): Body<ServicePrincipalBody>,
) -> Result<Json<ServicePrincipalResource>, ManagementError> {
    let edit = ServicePrincipalEdit {
        display_name: body.display_name,
        enabled: body.enabled,
        roles: body.roles,
        scope_maps: body.scope_maps,
    };
    let mut write = change.store.write().await?;
    let principal = service_principals::put(&mut write, &name, edit).await?;
    commit(&app, write).await?;
    Ok(Json(ServicePrincipalResource::new(&change.ids, principal)))
}

/// Deletes a service principal.
///
/// # Errors
///
/// [`ManagementError`]: forbidden.
#[utoipa::path(delete, path = "/servicePrincipals/{name}", tag = "service principals",
    operation_id = "service_principals_delete",
    responses((status = 200), (status = 204), (status = "default", body = ErrorResponse)))]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    change: GiveRoles,
    Named(name): Named,
) -> Result<StatusCode, ManagementError> {
    let mut write = change.store.write().await?;
    if !service_principals::delete(&mut write, &name).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    commit(&app, write).await?;
    Ok(StatusCode::OK)
}

/// Gives a service principal a secret: a chosen one, or a generated one that is shown only in this
/// answer.
///
/// # Errors
///
/// [`ManagementError`]: forbidden; not found; a secret that is too short.
#[utoipa::path(post, path = "/servicePrincipals/{name}/secrets", tag = "service principals",
    operation_id = "service_principals_add_secret", request_body = SecretBody,
    responses((status = 200, body = SecretDocument), (status = "default", body = ErrorResponse)))]
pub(crate) async fn add_secret(
    State(app): State<Arc<App>>,
    change: GiveRoles,
    Named(client_id): Named,
    Body(body): Body<SecretBody>,
) -> Result<Json<SecretDocument>, ManagementError> {
    let mut write = change.store.write().await?;
    let secret = match body.secret {
        Some(secret) => {
            service_principals::add_secret(&mut write, &client_id, &secret).await?;
            None
        }
        None => Some(service_principals::generate_secret(&mut write, &client_id).await?),
    };
    commit(&app, write).await?;
    Ok(Json(SecretDocument { client_id, secret }))
}

/// Removes every secret of a service principal.
///
/// # Errors
///
/// [`ManagementError`]: forbidden; not found.
#[utoipa::path(delete, path = "/servicePrincipals/{name}/secrets", tag = "service principals",
    operation_id = "service_principals_delete_secrets",
    responses((status = 204), (status = "default", body = ErrorResponse)))]
pub(crate) async fn delete_secrets(
    State(app): State<Arc<App>>,
    change: GiveRoles,
    Named(client_id): Named,
) -> Result<StatusCode, ManagementError> {
    let mut write = change.store.write().await?;
    service_principals::delete_secrets(&mut write, &client_id).await?;
    commit(&app, write).await?;
    Ok(StatusCode::NO_CONTENT)
}
