//! The registry's own settings.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::access::{Change, Find};
use super::body::Body;
use super::documents::{RegistryPatch, RegistryResource};
use super::error::{ErrorResponse, ManagementError};
use crate::app::App;
use crate::app::watch::commit;
use crate::domain::edit::registry::{RegistryEdit, patch};

/// Shows the registry: where it is to all who have access to it, its settings to those who may
/// read them.
///
/// # Errors
///
/// [`ManagementError`]: forbidden.
#[utoipa::path(get, path = "", tag = "registry", operation_id = "registry_show",
    responses((status = 200, body = RegistryResource), (status = "default", body = ErrorResponse)))]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Find { sees_settings }: Find,
) -> Result<Json<RegistryResource>, ManagementError> {
    if !sees_settings {
        return Ok(Json(RegistryResource::found(&app)));
    }
    let registry = app.store.read().await?.registry().await?;
    Ok(Json(RegistryResource::new(&app, &registry)))
}

/// Changes the registry's settings: `az acr update --admin-enabled --anonymous-pull-enabled`,
/// `az acr config authentication-as-arm update`.
///
/// # Errors
///
/// [`ManagementError`]: forbidden.
#[utoipa::path(patch, path = "", tag = "registry", operation_id = "registry_update",
    request_body = RegistryPatch,
    responses((status = 200, body = RegistryResource), (status = "default", body = ErrorResponse)))]
pub(crate) async fn update(
    State(app): State<Arc<App>>,
    Change(permit): Change,
    Body(body): Body<RegistryPatch>,
) -> Result<Json<RegistryResource>, ManagementError> {
    let edit = RegistryEdit {
        admin_enabled: body.properties.admin_user_enabled,
        anonymous_pull: body.properties.anonymous_pull_enabled,
        authentication_as_arm: body.properties.authentication_as_arm(),
    };
    let mut write = permit.store.write().await?;
    let registry = patch(&mut write, edit).await?;
    commit(&app, write).await?;
    Ok(Json(RegistryResource::new(&app, &registry)))
}
