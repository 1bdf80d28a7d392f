//! Revocation by hand: ends every token of one principal, and changes nothing else of it.
//!
//! Each needs what any other change of the same object needs.
//!
//! Left out: identities and providers, which are [`identities`](super::identities)'.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use super::access::{Change, GiveRoles};
use super::error::{ErrorResponse, ManagementError};
use super::resource::Named;
use crate::app::App;
use crate::app::watch::commit;
use crate::domain::edit::revoke;

/// Ends every refresh token and access token of a scope-map token. Its passwords and its rights
/// stay.
///
/// # Errors
///
/// [`ManagementError`]: forbidden; not found.
#[utoipa::path(post, path = "/tokens/{name}/revoke", tag = "tokens",
    operation_id = "tokens_revoke",
    responses((status = 204), (status = "default", body = ErrorResponse)))]
pub(crate) async fn token(
    State(app): State<Arc<App>>,
    Change(permit): Change,
    Named(name): Named,
) -> Result<StatusCode, ManagementError> {
    let mut write = permit.store.write().await?;
    revoke::token(&mut write, &name).await?;
    commit(&app, write).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends every token of a service principal, those for management too. Its secrets and its rights
/// stay.
///
/// # Errors
///
/// [`ManagementError`]: forbidden; not found.
#[utoipa::path(post, path = "/servicePrincipals/{name}/revoke", tag = "service principals",
    operation_id = "service_principals_revoke",
    responses((status = 204), (status = "default", body = ErrorResponse)))]
pub(crate) async fn service_principal(
    State(app): State<Arc<App>>,
    GiveRoles(permit): GiveRoles,
    Named(client_id): Named,
) -> Result<StatusCode, ManagementError> {
    let mut write = permit.store.write().await?;
    revoke::service_principal(&mut write, &client_id).await?;
    commit(&app, write).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends every refresh token and access token of the admin account. Its passwords stay.
///
/// # Errors
///
/// [`ManagementError`]: forbidden.
#[utoipa::path(post, path = "/admin/revoke", tag = "registry", operation_id = "admin_revoke",
    responses((status = 204), (status = "default", body = ErrorResponse)))]
pub(crate) async fn admin(
    State(app): State<Arc<App>>,
    Change(permit): Change,
) -> Result<StatusCode, ManagementError> {
    let mut write = permit.store.write().await?;
    revoke::admin(&mut write).await?;
    commit(&app, write).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends every access token of anonymous clients.
///
/// # Errors
///
/// [`ManagementError`]: forbidden.
#[utoipa::path(post, path = "/anonymous/revoke", tag = "registry",
    operation_id = "anonymous_revoke",
    responses((status = 204), (status = "default", body = ErrorResponse)))]
pub(crate) async fn anonymous(
    State(app): State<Arc<App>>,
    Change(permit): Change,
) -> Result<StatusCode, ManagementError> {
    let mut write = permit.store.write().await?;
    revoke::anonymous(&mut write).await?;
    commit(&app, write).await?;
    Ok(StatusCode::NO_CONTENT)
}
