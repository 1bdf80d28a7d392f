//! Identities of OpenID providers: revokes every token of one, or of a whole provider.
//!
//! Left out: a list. The server does not know which identities exist.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams, State};
use axum::http::StatusCode;
use axum::http::request::Parts;

use super::access::Change;
use super::error::{ErrorResponse, ManagementError};
use crate::app::App;
use crate::app::watch::commit;
use crate::domain::edit::EditError;
use crate::domain::edit::identities;

/// The provider that a path names.
#[derive(Debug)]
pub(crate) struct ProviderName(String);

/// The subject that a path names.
#[derive(Debug)]
pub(crate) struct SubjectName(String);

/// Ends every token of one identity: refresh tokens at once, access tokens where revocations are
/// followed.
///
/// # Errors
///
/// [`ManagementError`]: forbidden; not found.
#[utoipa::path(post, path = "/identities/{provider}/{subject}/revoke", tag = "identities",
    operation_id = "identities_revoke",
    responses((status = 204), (status = "default", body = ErrorResponse)))]
pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    change: Change,
    ProviderName(provider): ProviderName,
    SubjectName(subject): SubjectName,
) -> Result<StatusCode, ManagementError> {
    let mut write = change.store.write().await?;
    identities::revoke(&mut write, &provider, &subject).await?;
    commit(&app, write).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends every token of every identity of a provider.
///
/// # Errors
///
/// [`ManagementError`]: forbidden; not found.
#[utoipa::path(post, path = "/identities/{provider}/revoke", tag = "identities",
    operation_id = "identities_revoke_provider",
    responses((status = 204), (status = "default", body = ErrorResponse)))]
pub(crate) async fn revoke_provider(
    State(app): State<Arc<App>>,
    change: Change,
    ProviderName(provider): ProviderName,
) -> Result<StatusCode, ManagementError> {
    let mut write = change.store.write().await?;
    identities::revoke_provider(&mut write, &provider).await?;
    commit(&app, write).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl<S: Send + Sync> FromRequestParts<S> for ProviderName {
    type Rejection = ManagementError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ManagementError> {
        named("provider", parts, state).await.map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SubjectName {
    type Rejection = ManagementError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ManagementError> {
        named("subject", parts, state).await.map(Self)
    }
}

async fn named<S: Send + Sync>(
    name: &str,
    parts: &mut Parts,
    state: &S,
) -> Result<String, ManagementError> {
    let params = RawPathParams::from_request_parts(parts, state).await;
    let params = params.map_err(|error| ManagementError::BadRequest(error.to_string()))?;
    let value = params.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_owned());
    match value {
        // PostgreSQL refuses a NUL in a query.
        Some(value) if !value.contains(char::is_control) => Ok(value),
        _ => Err(EditError::NotFound(format!("there is no such {name}")).into()),
    }
}
