//! Passwords, refresh tokens, and whom they stand for.
//!
//! Follows <https://github.com/distribution/distribution/blob/main/docs/content/spec/auth/oauth.md> and Azure Container Registry: a token's name
//! and password as Basic or in a password grant; a refresh token in its own grant, or as the password of the user
//! `00000000-0000-0000-0000-000000000000`.
//!
//! Whatever is wrong, a client reads the same: nobody learns which names exist.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::RouteError;
use crate::issue::Issuer;
use crate::password::PasswordDigest;
use crate::policy::{Policy, Token};

/// The user name that says "the password is a refresh token".
pub const NULL_GUID: &str = "00000000-0000-0000-0000-000000000000";

/// What a client brought to show who it is.
pub enum Credentials {
    /// A name and a password.
    Password {
        /// The name of a token, or the null GUID.
        name: String,
        /// Its password, or a refresh token.
        password: String,
    },
    /// A refresh token.
    Refresh(String),
    /// Nothing.
    None,
}

/// Leaves the secrets out.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password { .. } => "Password",
            Self::Refresh(_) => "Refresh",
            Self::None => "None",
        })
    }
}

/// Who asks.
#[derive(Debug)]
pub struct Principal {
    /// The scope-map token.
    pub token: Arc<Token>,
    /// The refresh token that it came with, when it came with one.
    pub refresh_token: Option<String>,
}

impl Credentials {
    /// Reads the value of an `Authorization` header.
    ///
    /// # Errors
    ///
    /// [`RouteError::Unauthorized`] for a header that is not Basic, or not base 64, or holds no colon.
    pub fn basic(header: &[u8]) -> Result<Self, RouteError> {
        let (scheme, rest) = header.split_at_checked(6).unwrap_or((header, &[]));
        if !scheme.eq_ignore_ascii_case(b"basic ") {
            return Err(RouteError::Unauthorized("an authorization that is not basic"));
        }
        let text =
            STANDARD.decode(rest.trim_ascii()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.ok_or(RouteError::Unauthorized("credentials that are not base 64"))?;
        let (name, password) =
            text.split_once(':').ok_or(RouteError::Unauthorized("credentials without a colon"))?;
        Ok(Self::Password { name: name.into(), password: password.into() })
    }
}

/// Finds out who asks.
///
/// # Errors
///
/// [`RouteError::Unauthorized`] for anybody but an enabled token.
pub fn authenticate(
    credentials: Credentials,
    policy: &Policy,
    issuer: &Issuer,
    now: i64,
) -> Result<Principal, RouteError> {
    match credentials {
        Credentials::None => Err(RouteError::Unauthorized("no credentials")),
        Credentials::Refresh(token) => by_refresh_token(token, policy, issuer, now),
        Credentials::Password { name, password } if name == NULL_GUID => {
            by_refresh_token(password, policy, issuer, now)
        }
        Credentials::Password { name, password } => {
            let token = by_password(&name, &password, policy, now)?;
            Ok(Principal { token, refresh_token: None })
        }
    }
}

fn by_password(
    name: &str,
    password: &str,
    policy: &Policy,
    now: i64,
) -> Result<Arc<Token>, RouteError> {
    // Digested for an unknown name too, so that the time does not tell which names exist.
    let digest = PasswordDigest::of(password);
    let Some(token) = policy.token(name) else {
        return Err(RouteError::Unauthorized("an unknown token"));
    };
    if !token.accepts(&digest, now) {
        return Err(RouteError::Unauthorized("a wrong or expired password"));
    }
    enabled(token)
}

fn by_refresh_token(
    refresh_token: String,
    policy: &Policy,
    issuer: &Issuer,
    now: i64,
) -> Result<Principal, RouteError> {
    let claims = issuer
        .verify_refresh(&refresh_token, now)
        .ok_or(RouteError::Unauthorized("a refresh token that is forged, expired or not ours"))?;
    let token =
        policy.token(&claims.sub).ok_or(RouteError::Unauthorized("a token that is gone"))?;
    Ok(Principal { token: enabled(token)?, refresh_token: Some(refresh_token) })
}

fn enabled(token: &Arc<Token>) -> Result<Arc<Token>, RouteError> {
    if token.enabled {
        Ok(Arc::clone(token))
    } else {
        Err(RouteError::Unauthorized("a disabled token"))
    }
}
