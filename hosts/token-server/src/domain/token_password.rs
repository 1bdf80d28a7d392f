//! A token of a provider, or of the built-in authority, as a password: for clients such as docker,
//! which send a name and a password to the token endpoint and nothing else.
//!
//! The user `token` has a token of the authority, of a client or of a person, that exchange takes;
//! a name that a provider lists has a token of that provider. The token's issuer alone selects who
//! verifies it, and its claims are checked before its signature. A name has one meaning: one of a
//! scope-map token, or of the registry's admin, is never tried here, whatever the password.
//!
//! What a client may have for it is what `/oauth2/exchange` gives for the same token. Without a
//! refresh token it ends with the token.
//!
//! Only failures are counted, by network: an address that forges is refused before another
//! signature is verified, and no name is locked out.
//!
//! Left out: every door but the token endpoint, which alone calls this. Management, `/authz`,
//! revocation and exchange take such a name for that of a scope-map token, which there is not.

use std::net::IpAddr;

use crate::config::REGISTRY_AUDIENCE;
use crate::domain::authority::{self, Unverified};
use crate::domain::principal::{
    AuthError, Authenticated, Authenticator, Credentials, Principal, Proven,
};
use crate::domain::reason::Reason;
use crate::model::password_user::TOKEN_USER;

/// A principal, and when the token that it showed expires.
type Shown = (Principal, i64);

/// Authenticates by credentials, among them tokens as passwords. `management` is the audience of
/// tokens for management.
///
/// # Errors
///
/// The errors of [`Authenticator::authenticate`]; [`AuthError::TooMany`] for a network that has
/// sent forged tokens.
pub(crate) async fn authenticate(
    authenticator: Authenticator<'_>,
    credentials: Credentials,
    management: &str,
    address: IpAddr,
    now: i64,
) -> Result<Authenticated, AuthError> {
    let (name, token) = match credentials {
        Credentials::Password { name, password } if is_password_user(authenticator, &name) => {
            (name, password)
        }
        other => return authenticator.authenticate(other, address, now).await,
    };
    let guard = authenticator.guard;
    guard.check_forgeries(address)?;
    let shown = by_token(authenticator, (&name, &token), management, now).await;
    if shown.as_ref().is_err_and(is_forged) {
        guard.forged(address);
    }
    let (principal, expiry) = shown?;
    if principal.tables.is_empty() {
        return Err(Reason::NothingBound.into());
    }
    Ok(Authenticated { token_expiry: Some(expiry), ..principal.into() })
}

/// Whether the password of a user is a token. A name that is a principal's own is that alone.
fn is_password_user(authenticator: Authenticator<'_>, name: &str) -> bool {
    let directory = authenticator.directory;
    let is_token_user = name.eq_ignore_ascii_case(TOKEN_USER);
    let is_listed = is_token_user || directory.providers.has_password_user(name);
    let is_own = authenticator.is_registry_name(name) || directory.policy.token(name).is_some();
    is_listed && !is_own
}

async fn by_token(
    authenticator: Authenticator<'_>,
    (name, token): (&str, &str),
    management: &str,
    now: i64,
) -> Result<Shown, AuthError> {
    if name.eq_ignore_ascii_case(TOKEN_USER)
        && let Some(claims) = Unverified::read(token)
        && claims.iss == authenticator.issuer.issuer
    {
        return by_authority(authenticator, &claims, token, management, now);
    }
    let directory = authenticator.directory;
    let (identity, expiry) = directory.providers.identify_password(name, token, now).await?;
    if let Some(presented) = authenticator.presented {
        presented.note(|| Proven::by_identity(&identity));
    }
    Ok((Principal::of(identity, directory)?, expiry))
}

/// The client or the person of a token of our own authority, which is good here where it is good in
/// exchange.
fn by_authority(
    authenticator: Authenticator<'_>,
    claims: &Unverified,
    token: &str,
    management: &str,
    now: i64,
) -> Result<Shown, AuthError> {
    if claims.aud != REGISTRY_AUDIENCE && claims.aud != management {
        return Err(Reason::OtherAudience.into());
    }
    // Without leeway, as for a provider's.
    if claims.exp <= now {
        return Err(Reason::TokenExpired.into());
    }
    let Authenticator { directory, issuer, presented, .. } = authenticator;
    let principal = authority::for_registry(token, management, issuer, directory, presented, now)?;
    Ok((principal.ok_or(Reason::NotSigned)?, claims.exp))
}

/// Whether a refusal has cost the check of a signature.
fn is_forged(error: &AuthError) -> bool {
    matches!(
        error,
        AuthError::Refused(Reason::NotSigned | Reason::InvalidSignature(_) | Reason::UnknownKey)
    )
}
