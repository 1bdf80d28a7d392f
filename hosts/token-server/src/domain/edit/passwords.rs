//! Generated passwords: created, replaced, shown once.

use std::fmt;

use super::{EditError, tokens};
use crate::clock;
use crate::model::password::{self, PasswordDigest};
use crate::store::{PasswordName, PasswordRecord, TokenRecord, Write};

/// A generated password, which is shown only here.
pub struct Generated {
    /// Which of the two.
    pub name: PasswordName,
    /// The password.
    pub value: String,
    /// Seconds since 1970.
    pub created_at: i64,
    /// When it expires, in seconds since 1970; `None` for never.
    pub expires_at: Option<i64>,
}

/// Leaves the password out.
impl fmt::Debug for Generated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generated").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Gives a token new passwords: the named one, or both. The other one stays as it is.
///
/// # Errors
///
/// [`EditError::NotFound`] for an unknown token; [`EditError::Invalid`] for an admin's password
/// name, and for an expiry in the past.
pub async fn generate(
    write: &mut Write,
    token: &str,
    which: Option<PasswordName>,
    expires_at: Option<i64>,
) -> Result<(TokenRecord, Vec<Generated>), EditError> {
    if expires_at.is_some_and(|expiry| expiry <= clock::now()) {
        return Err(EditError::Invalid("the expiry is past".into()));
    }
    let names = match which {
        None => vec![PasswordName::Password1, PasswordName::Password2],
        Some(PasswordName::Password) => {
            return Err(EditError::Invalid(
                "a token has `password1` and `password2`, and no `password`".into(),
            ));
        }
        Some(name) => vec![name],
    };
    let found: Option<TokenRecord> = write.find(token).await?;
    let mut token = found.ok_or_else(|| tokens::not_found(token))?;
    // The first password of a name removes no rights.
    let takes_away = token.passwords.iter().any(|password| names.contains(&password.name));
    let mut generated = Vec::new();
    for name in names {
        generated.push(replace(&mut token.passwords, name, expires_at)?);
    }
    if takes_away {
        token.generation = write.revision();
    }
    write.put(&token).await?;
    Ok((token, generated))
}

/// Replaces the password with this name.
pub(super) fn replace(
    passwords: &mut Vec<PasswordRecord>,
    name: PasswordName,
    expires_at: Option<i64>,
) -> Result<Generated, EditError> {
    let value = password::generate().map_err(|_| EditError::Randomness)?;
    let (sha256, created_at) = (PasswordDigest::of(&value), clock::now());
    passwords.retain(|password| password.name != name);
    passwords.push(PasswordRecord { name, sha256, created_at, expires_at });
    passwords.sort_by_key(|password| password.name);
    Ok(Generated { name, value, created_at, expires_at })
}
