//! The secrets of service principals.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::access::GiveRoles;
use super::body::Body;
use super::credentials::expiry;
use super::documents::{SecretBody, SecretDocument};
use super::error::{ErrorResponse, ManagementError};
use super::resource::Named;
use crate::app::App;
use crate::app::watch::commit;
use crate::clock::rfc3339;
use crate::domain::edit::service_principals;

/// Gives a service principal a secret: a chosen one, or a generated one that is shown only in this
/// answer.
///
/// # Errors
///
/// [`ManagementError`]: forbidden; not found; a secret that is too short or too easy to guess; an
/// expiry in the past.
#[utoipa::path(post, path = "/servicePrincipals/{name}/secrets", tag = "service principals",
    operation_id = "service_principals_add_secret", request_body = SecretBody,
    responses((status = 200, body = SecretDocument), (status = "default", body = ErrorResponse)))]
pub(crate) async fn add_secret(
    State(app): State<Arc<App>>,
    GiveRoles(permit): GiveRoles,
    Named(client_id): Named,
    Body(body): Body<SecretBody>,
) -> Result<Json<SecretDocument>, ManagementError> {
    let until = body.expiry.as_deref().map(expiry).transpose()?.flatten();
    let mut write = permit.store.write().await?;
    let secret = match body.secret {
        Some(chosen) => {
            let names = [app.settings.registry_name.as_str(), app.issuer.service.as_str()];
            service_principals::add_secret(&mut write, &client_id, &chosen, until, &names).await?;
            None
        }
        None => Some(service_principals::generate_secret(&mut write, &client_id, until).await?),
    };
    commit(&app, write).await?;
    Ok(Json(SecretDocument { client_id, secret, expiry: until.map(rfc3339) }))
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
    GiveRoles(permit): GiveRoles,
    Named(client_id): Named,
) -> Result<StatusCode, ManagementError> {
    let mut write = permit.store.write().await?;
    service_principals::delete_secrets(&mut write, &client_id).await?;
    commit(&app, write).await?;
    Ok(StatusCode::NO_CONTENT)
}
