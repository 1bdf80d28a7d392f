//! The keys of a registry, kept in its database and shared by its servers.
//!
//! Every server checks once a minute whether a key must be made or may be deleted; the first one
//! does it, and the others see the result. The bundle for registries is also written into the data
//! folder of each server.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::clock;
use crate::domain::keys::import::{FILE, import};
use crate::domain::keys::rotation::{plan, plan_now};
use crate::domain::keys::{
    Algorithm, Authority, KeyRecord, Plan, Ring, Rotation, RsaSize, SigningKey,
};
use crate::store::{Store, Write};

/// The bundle's file.
pub(crate) const BUNDLE: &str = "signing-cert.pem";

/// Keeps the keys of a registry.
#[derive(Clone, Debug)]
pub struct Keeper {
    /// The folder of an earlier version's key, and of the bundle.
    pub folder: PathBuf,
    /// The name in the authority's certificate.
    pub issuer: String,
    /// What tokens are to be signed with.
    pub algorithm: Algorithm,
    /// How long a new RSA key is.
    pub size: RsaSize,
    /// The schedule of rotation.
    pub rotation: Rotation,
}

impl Keeper {
    /// Makes, certifies and deletes keys as planned for now; returns the ring.
    ///
    /// # Errors
    ///
    /// When the database cannot be read or written, or holds an invalid key.
    pub async fn reconcile(&self, store: &Store, now: i64) -> anyhow::Result<Ring> {
        let mut write = store.write().await?;
        let known = write.keys().await?;
        if known.authority.is_none() {
            write.put_authority(&Authority::generate(&self.issuer, now)?).await?;
        }
        let mut keys = known.keys;
        if keys.is_empty() {
            keys.extend(self.imported(&mut write, now).await?);
        }
        let plan = plan(&keys, self.algorithm, now, self.rotation);
        if known.authority.is_some() && plan == Plan::default() && !keys.is_empty() {
            return ring(&mut write).await;
        }
        self.carry_out(&mut write, plan).await?;
        let ring = ring(&mut write).await?;
        write.commit().await?;
        Ok(ring)
    }

    /// The stored keys. Changes nothing.
    ///
    /// # Errors
    ///
    /// When the database cannot be read, or has no key yet.
    pub async fn read(store: &Store) -> anyhow::Result<Ring> {
        let keys = store.read().await?.stored_keys().await?.open(store.vault())?;
        let authority = keys.authority.context("there is no signing key; start the server once")?;
        Ring::read(&keys.keys, &authority.certificate)
    }

    /// Makes a new key now, which is published at once and signs after registries have had the time
    /// to read it.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn rotate(&self, store: &Store, now: i64) -> anyhow::Result<Ring> {
        self.reconcile(store, now).await?;
        let mut write = store.write().await?;
        let keys = write.keys().await?.keys;
        let plan = plan_now(&keys, self.algorithm, now, self.rotation);
        self.carry_out(&mut write, plan).await?;
        let ring = ring(&mut write).await?;
        write.commit().await?;
        Ok(ring)
    }

    /// Deletes every key and the authority behind them, and makes new ones that sign at once: for a
    /// key that has leaked.
    ///
    /// A leaked key can sign anything, so every token that it has signed ends with it. A new epoch
    /// tells that to every edge with its feed, before it reads the new keys. The
    /// authority is replaced too, because a registry that trusts it would still accept the
    /// certificate of the old key. Registries need the new bundle.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn replace(&self, store: &Store, now: i64) -> anyhow::Result<Ring> {
        let mut write = store.write().await?;
        write.begin_epoch(None).await?;
        // Not decrypted: the key that encrypted them may be lost.
        for key in &write.stored_keys().await?.records().keys {
            tracing::info!(kid = key.kid, "signing key removed");
            write.delete_key(&key.kid).await?;
        }
        write.put_authority(&Authority::generate(&self.issuer, now)?).await?;
        self.carry_out(&mut write, plan(&[], self.algorithm, now, self.rotation)).await?;
        let ring = ring(&mut write).await?;
        write.commit().await?;
        Ok(ring)
    }

    /// Renews the certificate of the authority when it is due. Its key stays, so registries that
    /// hold the former one accept the same tokens.
    ///
    /// # Errors
    ///
    /// When the database cannot be read or written.
    pub async fn renew_authority(&self, store: &Store, now: i64) -> anyhow::Result<()> {
        let mut write = store.write().await?;
        let record = write.keys().await?.authority.context("there is no authority")?;
        if Authority::is_due(&record.certificate, now) {
            write.put_authority(&Authority::renew(&record, now)?).await?;
            write.commit().await?;
            tracing::info!("the authority's certificate was renewed");
        }
        Ok(())
    }

    /// Writes the bundle for registries into the data folder.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written.
    pub fn write_bundle(&self, ring: &Ring) -> anyhow::Result<()> {
        let path = self.folder.join(BUNDLE);
        if fs::read_to_string(&path).is_ok_and(|known| known == ring.bundle()) {
            return Ok(());
        }
        write_whole(&path, ring.bundle())
            .with_context(|| format!("cannot write {}", path.display()))
    }

    async fn imported(&self, write: &mut Write, now: i64) -> anyhow::Result<Option<KeyRecord>> {
        let authority = authority(write).await?;
        let key = import(&self.folder, &authority, self.rotation, now)?;
        if let Some(key) = &key {
            tracing::warn!(
                file = FILE,
                "the signing key of an earlier version is in the database now; delete its file from the data folder"
            );
            write.put_key(key).await?;
        }
        Ok(key)
    }

    async fn carry_out(&self, write: &mut Write, plan: Plan) -> anyhow::Result<()> {
        let authority = authority(write).await?;
        for kid in &plan.certify_again {
            let keys = write.keys().await?.keys;
            if let Some(key) = keys.iter().find(|key| key.kid == *kid) {
                let until = self.rotation.certified_until(clock::now().max(key.signs_from));
                write.put_key(&SigningKey::certify_again(key, until, &authority)?).await?;
            }
        }
        if let Some(new) = plan.generate {
            let key = SigningKey::generate(new.algorithm, self.size, new.times, &authority)?;
            tracing::info!(kid = key.kid, algorithm = %key.algorithm, signs_from = key.signs_from, "signing key created");
            write.put_key(&key).await?;
        }
        for kid in &plan.remove {
            tracing::info!(kid, "signing key removed");
            write.delete_key(kid).await?;
        }
        Ok(())
    }
}

async fn ring(write: &mut Write) -> anyhow::Result<Ring> {
    let keys = write.keys().await?;
    let authority = keys.authority.context("there is no authority")?;
    Ring::read(&keys.keys, &authority.certificate)
}

async fn authority(write: &mut Write) -> anyhow::Result<Authority> {
    let record = write.keys().await?.authority.context("there is no authority")?;
    Authority::read(&record)
}

/// Writes a file whole or not at all.
fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let partial = path.with_extension(format!("{}.partial", std::process::id()));
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o644).open(&partial)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(partial, path)
}
