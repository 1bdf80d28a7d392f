//! Revocation by hand: one refresh token, or everything of one principal.
//!
//! A principal gets a new generation. Its rights, its passwords and its secrets stay: a
//! client that has one gets new tokens.
//!
//! Left out: identities and providers, which are [`identities`](super::identities)', and
//! everything at once, which is [`Keeper::replace`](crate::domain::keys::Keeper::replace)'s.

use scopegate_api::claims::RefreshClaims;

use super::{EditError, find};
use crate::domain::lifetimes::REVOCATION_KEPT;
use crate::store::{RevokedToken, ServicePrincipalRecord, TokenRecord, Write};

/// Revokes one refresh token.
///
/// # Errors
///
/// When the database cannot be written.
pub(crate) async fn refresh_token(
    write: &mut Write,
    claims: &RefreshClaims,
    now: i64,
) -> Result<(), EditError> {
    let expires_at = i64::try_from(claims.exp).unwrap_or(i64::MAX);
    let token = RevokedToken { jti: claims.jti.clone(), expires_at };
    Ok(write.revoke_token(&token, now.saturating_sub(REVOCATION_KEPT)).await?)
}

/// Ends every token that was issued to a scope-map token.
///
/// # Errors
///
/// [`EditError::NotFound`].
pub(crate) async fn token(write: &mut Write, name: &str) -> Result<(), EditError> {
    let mut token: TokenRecord = find(write, name).await?;
    token.generation = write.revision();
    Ok(write.put(&token).await?)
}

/// Ends every token that was issued to a service principal.
///
/// # Errors
///
/// [`EditError::NotFound`].
pub(crate) async fn service_principal(write: &mut Write, client_id: &str) -> Result<(), EditError> {
    let mut principal: ServicePrincipalRecord = find(write, client_id).await?;
    principal.generation = write.revision();
    Ok(write.put(&principal).await?)
}

/// Ends every token that was issued to the admin account.
///
/// # Errors
///
/// When the database cannot be written.
pub(crate) async fn admin(write: &mut Write) -> Result<(), EditError> {
    let mut registry = write.registry().await?;
    registry.admin_generation = write.revision();
    Ok(write.put_registry(&registry).await?)
}

/// Ends every token that was issued to anonymous clients.
///
/// # Errors
///
/// When the database cannot be written.
pub(crate) async fn anonymous(write: &mut Write) -> Result<(), EditError> {
    let mut registry = write.registry().await?;
    registry.anonymous_generation = write.revision();
    Ok(write.put_registry(&registry).await?)
}
