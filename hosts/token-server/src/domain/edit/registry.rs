//! The registry's own settings: its admin account, anonymous pull, and what exchange takes.

use super::EditError;
use super::passwords::{Generated, replace};
use crate::store::{PasswordName, RegistryRecord, Write};

/// The admin's passwords.
const ADMIN_PASSWORDS: [PasswordName; 2] = [PasswordName::Password, PasswordName::Password2];

/// A change. A field that is left out stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct RegistryEdit {
    /// Whether the admin account opens anything.
    pub admin_enabled: Option<bool>,
    /// Whether anonymous clients may pull.
    pub anonymous_pull: Option<bool>,
    /// Whether a token of our authority for management is taken in exchange.
    pub authentication_as_arm: Option<bool>,
}

/// Changes the settings.
///
/// # Errors
///
/// When the database cannot be written.
pub async fn patch(write: &mut Write, edit: RegistryEdit) -> Result<RegistryRecord, EditError> {
    let mut registry = write.registry().await?;
    if let Some(enabled) = edit.admin_enabled {
        if registry.admin_enabled && !enabled {
            registry.admin_generation = write.revision();
        }
        registry.admin_enabled = enabled;
    }
    if let Some(enabled) = edit.anonymous_pull {
        if registry.anonymous_pull && !enabled {
            registry.anonymous_generation = write.revision();
        }
        registry.anonymous_pull = enabled;
    }
    if let Some(enabled) = edit.authentication_as_arm {
        registry.authentication_as_arm = enabled;
    }
    write.put_registry(&registry).await?;
    Ok(registry)
}

/// Generates the admin account's missing passwords.
///
/// # Errors
///
/// [`EditError::Conflict`] when the account is disabled.
pub async fn admin_passwords(
    write: &mut Write,
) -> Result<(RegistryRecord, Vec<Generated>), EditError> {
    let mut registry = enabled_admin(write).await?;
    let mut generated = Vec::new();
    for name in ADMIN_PASSWORDS {
        if registry.admin_passwords.iter().all(|password| password.name != name) {
            generated.push(replace(&mut registry.admin_passwords, name, None)?);
        }
    }
    if !generated.is_empty() {
        write.put_registry(&registry).await?;
    }
    Ok((registry, generated))
}

/// Replaces the named password of the admin account.
///
/// # Errors
///
/// [`EditError::Conflict`] when the account is disabled; [`EditError::Invalid`] for a token's
/// password name.
pub async fn regenerate_admin_password(
    write: &mut Write,
    name: PasswordName,
) -> Result<(RegistryRecord, Generated), EditError> {
    if !ADMIN_PASSWORDS.contains(&name) {
        return Err(EditError::Invalid(
            "the admin has `password` and `password2`, and no `password1`".into(),
        ));
    }
    let mut registry = enabled_admin(write).await?;
    if registry.admin_passwords.iter().any(|password| password.name == name) {
        registry.admin_generation = write.revision();
    }
    let generated = replace(&mut registry.admin_passwords, name, None)?;
    write.put_registry(&registry).await?;
    Ok((registry, generated))
}

async fn enabled_admin(write: &mut Write) -> Result<RegistryRecord, EditError> {
    let registry = write.registry().await?;
    if registry.admin_enabled {
        Ok(registry)
    } else {
        Err(EditError::Conflict(
            "the admin account is disabled; enable it with `az acr update --admin-enabled true`"
                .into(),
        ))
    }
}
