//! The key that encrypts the signing keys, for the commands that need them.
//!
//! Without a configured key, SQLite has one in its data folder, which is made at the first start,
//! and PostgreSQL none. A key is never made for a database that was encrypted with another one: it
//! would only hide that the right one is lost.

use std::path::PathBuf;

use anyhow::{Context as _, bail};

use super::open;
use crate::config::{Config, KeySource};
use crate::model::audit::Actor;
use crate::model::secret_key::SecretKey;
use crate::store::{Store, StoredKeys, Vault};

/// The file of a key that is not configured, in the data folder.
const FILE: &str = "secrets.key";

/// The database, with the key that encrypts its signing keys. Signing keys that are not encrypted
/// yet are encrypted.
///
/// # Errors
///
/// When the key cannot be read, or is not the one that has encrypted the signing keys.
pub(super) async fn open_with_keys(config: &Config, actor: Actor) -> anyhow::Result<Store> {
    let store = open(config, actor).await?;
    let stored = store.read().await?.stored_keys().await?;
    let vault = vault(config, stored.sealed_with().is_empty(), &[])?;
    check(config, &stored, &vault)?;
    let has_plain = stored.has_plain(&vault);
    let store = store.with_vault(vault);
    if has_plain {
        let mut write = store.write().await?;
        write.seal_again().await?;
        write.commit().await?;
        tracing::info!("the signing keys in the database were encrypted");
    }
    scrub(&store, has_plain).await;
    Ok(store)
}

/// The database for new signing keys that replace all others, whose key may be lost.
pub(super) async fn open_for_new_keys(config: &Config, actor: Actor) -> anyhow::Result<Store> {
    let store = open(config, actor).await?;
    Ok(store.with_vault(vault(config, true, &[])?))
}

/// Encrypts the signing keys with the configured key, from the former ones and from `old`; returns
/// the key's id and how many were encrypted.
pub(super) async fn encrypt_again(
    config: &Config,
    old: &[KeySource],
) -> anyhow::Result<(String, usize)> {
    let store = open(config, Actor::command("keys reencrypt")).await?;
    let stored = store.read().await?.stored_keys().await?;
    let vault = vault(config, false, old)?;
    check(config, &stored, &vault)?;
    let id = vault.current_id().with_context(|| missing(config))?.to_owned();
    let store = store.with_vault(vault);
    let mut write = store.write().await?;
    let changed = write.seal_again().await?;
    if changed > 0 {
        write.commit().await?;
        scrub(&store, true).await;
    }
    Ok((id, changed))
}

/// The configured keys. A missing file of the data folder is made where `may_create`.
fn vault(config: &Config, may_create: bool, old: &[KeySource]) -> anyhow::Result<Vault> {
    let previous = config.secrets.previous_keys.iter().chain(old);
    let previous: Vec<_> = previous.map(KeySource::load).collect::<Result<_, _>>()?;
    Ok(Vault::new(current(config, may_create)?.as_ref(), &previous)?)
}

fn current(config: &Config, may_create: bool) -> anyhow::Result<Option<SecretKey>> {
    if let Some(source) = &config.secrets.key {
        return source.load().map(Some);
    }
    let Some(file) = default_file(config) else { return Ok(None) };
    if may_create || file.try_exists()? {
        return KeySource::load_or_create(&file).map(Some);
    }
    Ok(None)
}

/// The file of a key that is not configured; none for PostgreSQL, whose servers share one key.
fn default_file(config: &Config) -> Option<PathBuf> {
    config.database_url.is_none().then(|| config.data.join(FILE))
}

/// Refuses a vault that cannot decrypt every signing key.
fn check(config: &Config, stored: &StoredKeys, vault: &Vault) -> anyhow::Result<()> {
    if let Some(id) = stored.sealed_with().into_iter().find(|id| !vault.has(id)) {
        let given = match vault.current_id() {
            Some(given) => format!("secrets.key has the id {given}"),
            None => missing(config),
        };
        bail!(
            "the signing keys are encrypted with the key {id}, and {given}: give the right one as secrets.key or in secrets.previousKeys; if it is lost, `scopegate-server keys rotate --at-once` makes new signing keys, which ends every token"
        );
    }
    stored.open(vault).context("the signing keys cannot be decrypted")?;
    Ok(())
}

fn missing(config: &Config) -> String {
    match default_file(config).filter(|_| config.secrets.key.is_none()) {
        Some(file) => format!("there is no {}", file.display()),
        None => "secrets.key is not configured".to_owned(),
    }
}

/// A failure is no reason not to start: the keys that are used are encrypted.
async fn scrub(store: &Store, is_needed: bool) {
    if store.vault().current_id().is_none() {
        return;
    }
    if let Err(error) = store.scrub(is_needed).await {
        tracing::warn!(%error, "signing keys from before they were encrypted may be left in the database's files");
    }
}
