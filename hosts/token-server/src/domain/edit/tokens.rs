//! Scope-map tokens.

use super::{EditError, scope_maps};
use crate::clock;
use crate::model::client_id::is_client_id;
use crate::model::password_user::ReservedNames;
use crate::store::{PasswordName, PasswordRecord, TokenRecord, Write};

/// The maximum number of tokens, as in the largest registries of the service.
pub const MAX: i64 = 50_000;

/// A change. A field that is left out stays; a new token is enabled, and has no map and no
/// passwords.
#[derive(Clone, Debug, Default)]
pub struct TokenEdit {
    /// The name of its map.
    pub scope_map: Option<String>,
    /// Whether its passwords open anything.
    pub enabled: Option<bool>,
    /// Its passwords: those that stay, or all of them with their digests.
    pub passwords: Option<Passwords>,
}

/// A change of a token's passwords.
#[derive(Clone, Debug)]
pub enum Passwords {
    /// Keeps those with these names, and removes the others.
    Keep(Vec<PasswordName>),
    /// Replaces all passwords.
    Set(Vec<PasswordRecord>),
}

/// Creates a token or changes the one with this name. None is created under a reserved name.
///
/// # Errors
///
/// [`EditError::Invalid`] for an invalid or reserved name, for invalid password names, and for an
/// unknown map; [`EditError::Full`] at the maximum number of tokens.
pub async fn put(
    write: &mut Write,
    name: &str,
    reserved: &ReservedNames,
    edit: TokenEdit,
) -> Result<TokenRecord, EditError> {
    check_name(name, reserved)?;
    let old: Option<TokenRecord> = write.find(name).await?;
    if old.is_none() {
        check_new_name(name, reserved)?;
    }
    if old.is_none() && !write.reserve_token(MAX).await? {
        return Err(EditError::Full(format!("a registry has at most {MAX} tokens")));
    }
    let mut token = old.unwrap_or_else(|| TokenRecord {
        key: name.to_ascii_lowercase(),
        name: name.to_owned(),
        scope_map: None,
        enabled: true,
        passwords: Vec::new(),
        created_at: clock::now(),
        revision: write.revision(),
        generation: write.revision(),
    });
    if change(write, &mut token, edit).await? {
        token.generation = write.revision();
    }
    token.revision = write.revision();
    write.put(&token).await?;
    Ok(token)
}

/// Changes a token; returns whether the change removes rights.
async fn change(
    write: &mut Write,
    token: &mut TokenRecord,
    edit: TokenEdit,
) -> Result<bool, EditError> {
    let mut takes_away = false;
    if let Some(map) = edit.scope_map {
        let key = scope_maps::find_key(write, &map).await?;
        takes_away |= token.scope_map.as_ref().is_some_and(|old| *old != key);
        token.scope_map = Some(key);
    }
    if let Some(enabled) = edit.enabled {
        takes_away |= token.enabled && !enabled;
        token.enabled = enabled;
    }
    match edit.passwords {
        Some(Passwords::Keep(names)) => {
            let before = token.passwords.len();
            token.passwords.retain(|password| names.contains(&password.name));
            takes_away |= token.passwords.len() != before;
        }
        Some(Passwords::Set(passwords)) => {
            check_passwords(&passwords)?;
            let stays = |old: &PasswordRecord| passwords.iter().any(|new| new.is_same_as(old));
            takes_away |= !token.passwords.iter().all(stays);
            token.passwords = passwords;
        }
        None => {}
    }
    Ok(takes_away)
}

/// A token has `password1` and `password2`, each at most once.
fn check_passwords(passwords: &[PasswordRecord]) -> Result<(), EditError> {
    let mut names: Vec<PasswordName> = passwords.iter().map(|password| password.name).collect();
    names.sort_unstable();
    if names.contains(&PasswordName::Password) || !names.is_sorted_by(|a, b| a < b) {
        return Err(EditError::Invalid(
            "a token has one `password1` and one `password2` at most".into(),
        ));
    }
    Ok(())
}

/// Checks a token's name: it must not be a client id or the registry's own name.
fn check_name(name: &str, reserved: &ReservedNames) -> Result<(), EditError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if !(5..=50).contains(&name.len()) || !name.bytes().all(allowed) {
        return Err(EditError::Invalid(format!(
            "token `{name}`: use 5 to 50 letters, digits and `-`"
        )));
    }
    if is_client_id(name) {
        return Err(EditError::Invalid(format!(
            "token `{name}`: this is how client ids look; choose another name"
        )));
    }
    if reserved.is_registry(name) {
        return Err(EditError::Invalid(format!(
            "token `{name}`: the registry's own name is that of its admin; choose another name"
        )));
    }
    Ok(())
}

/// Refuses a name under which clients send tokens: it would have two meanings.
fn check_new_name(name: &str, reserved: &ReservedNames) -> Result<(), EditError> {
    if reserved.is_password_user(name) {
        return Err(EditError::Invalid(format!(
            "token `{name}`: under this user name clients send tokens of a provider or of the authority as passwords; choose another name"
        )));
    }
    Ok(())
}
