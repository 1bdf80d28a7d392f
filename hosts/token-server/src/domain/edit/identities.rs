//! Identities of OpenID providers: revoked one by one, by provider, or by removing the provider
//! from the configuration.
//!
//! Identities are not enumerable. The database stores the providers, each with a fingerprint of
//! what it grants, and the revoked identities.
//!
//! Left out: pruning revoked identities.

use std::collections::BTreeMap;

use super::EditError;
use crate::store::{ProviderRecord, Store, Write};

/// Stores the fingerprints of this server's providers. A new, changed or removed one gets a new
/// generation; returns whether there was one.
///
/// # Errors
///
/// When the database cannot be written.
pub async fn keep_providers(
    store: &Store,
    fingerprints: &BTreeMap<String, String>,
) -> sqlx::Result<bool> {
    let mut write = store.write().await?;
    let is_changed = compare(&mut write, fingerprints).await?;
    if is_changed {
        write.commit().await?;
    }
    Ok(is_changed)
}

async fn compare(write: &mut Write, fingerprints: &BTreeMap<String, String>) -> sqlx::Result<bool> {
    let revision = write.revision();
    let known = write.providers().await?;
    let mut is_changed = false;
    for provider in &known {
        let fingerprint = fingerprints.get(&provider.name).cloned().unwrap_or_default();
        if provider.fingerprint == fingerprint {
            continue;
        }
        let revoked = if fingerprint.is_empty() { revision } else { provider.revoked };
        let changed =
            ProviderRecord { fingerprint, generation: revision, revoked, ..provider.clone() };
        write.put_provider(&changed).await?;
        is_changed = true;
    }
    for (name, fingerprint) in fingerprints {
        if known.iter().any(|provider| provider.name == *name) {
            continue;
        }
        let (name, fingerprint) = (name.clone(), fingerprint.clone());
        let new = ProviderRecord { name, fingerprint, generation: revision, revoked: 0 };
        write.put_provider(&new).await?;
        is_changed = true;
    }
    Ok(is_changed)
}

/// Ends every token of one identity.
///
/// # Errors
///
/// [`EditError::NotFound`] for an unknown provider; [`EditError::Invalid`] for a subject that no
/// provider can issue.
pub async fn revoke(write: &mut Write, provider: &str, subject: &str) -> Result<(), EditError> {
    find(write, provider).await?;
    if subject.is_empty() || subject.len() > 256 || !subject.bytes().all(|b| (32..127).contains(&b))
    {
        return Err(EditError::Invalid(
            "a subject has 1 to 256 printable characters of ASCII".into(),
        ));
    }
    Ok(write.revoke_identity(provider, &subject.to_ascii_lowercase()).await?)
}

/// Ends every token of every identity of one provider.
///
/// # Errors
///
/// [`EditError::NotFound`] for an unknown provider.
pub async fn revoke_provider(write: &mut Write, provider: &str) -> Result<(), EditError> {
    let known = find(write, provider).await?;
    let (generation, revoked) = (write.revision(), write.revision());
    Ok(write.put_provider(&ProviderRecord { generation, revoked, ..known }).await?)
}

async fn find(write: &mut Write, provider: &str) -> Result<ProviderRecord, EditError> {
    let known = write.providers().await?.into_iter().find(|known| known.name == provider);
    known.ok_or_else(|| EditError::NotFound(format!("there is no provider `{provider}`")))
}
