//! Restoring a backup, so that nothing which was taken away since comes back.
//!
//! A restore begins a new epoch: every older token, feed and bundle ends. Where the audit trail of
//! the database goes on from the backup's, it stays, and says what was changed since: a principal
//! that was changed or deleted comes back disabled, the admin account and anonymous pull off, and a
//! scope map that was changed keeps its later rules. On another machine it is not known what
//! was changed since; the log has it, under the target `audit`.
//!
//! Left out: redoing those changes, which is the operator's to decide.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::ensure;

use crate::model::audit::{Head, Object, Row};
use crate::store::{
    About, Backup, Known, Record, ScopeMapRecord, ServicePrincipalRecord, Store, TokenRecord, Write,
};

/// How a backup is to be restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether a database that is not empty is replaced.
    pub replaces: bool,
    /// Whether principals that were changed since come back as they were.
    pub as_it_was: bool,
}

/// What a restore did.
#[derive(Debug)]
pub struct Restored {
    pub about: About,
    pub epoch: String,
    pub revision: i64,
    /// The changes since the backup; `None` where the trail does not go on from the backup's.
    pub since: Option<Vec<Row>>,
    /// What came back disabled.
    pub disabled: Vec<Object>,
}

/// Restores a backup.
///
/// # Errors
///
/// When the file is no backup, the database cannot be written, or it is not empty and
/// [`Options::replaces`] is not set.
pub async fn restore(
    store: &Store,
    path: &Path,
    folder: &Path,
    options: Options,
) -> anyhow::Result<Restored> {
    let mut backup = Backup::open(path, folder).await?;
    let mut write = store.write().await?;
    ensure!(
        options.replaces || write.is_empty().await?,
        "the database is not empty: add `--replace`, and all that was changed since the backup is lost"
    );
    let since = changes_since(&mut write, &backup.about.head).await?;
    let maps = later_maps(&mut write, since.as_deref().unwrap_or_default()).await?;
    let left = write.registry().await?;
    write.replace_all(&mut backup, since.is_none()).await?;
    let restored = write.registry().await?;
    let known = Known {
        epoch: restored.epoch,
        revision: left.revision.max(restored.revision),
        write_id: String::new(),
    };
    let epoch = write.begin_epoch(Some(&known)).await?.unwrap_or_default();
    write.note_restore(backup.about.made_at, backup.about.revision);
    for map in maps {
        write.put(&map).await?;
    }
    let disabled = match &since {
        Some(since) if !options.as_it_was => disable(&mut write, since).await?,
        _ => Vec::new(),
    };
    let revision = write.commit().await?;
    Ok(Restored { about: backup.about, epoch, revision, since, disabled })
}

/// The rows after a head, where the trail has its row.
async fn changes_since(write: &mut Write, head: &Head) -> anyhow::Result<Option<Vec<Row>>> {
    let mut rows = write.audit_from(head.number).await?.into_iter();
    let is_known =
        rows.next().is_some_and(|row| row.number == head.number && row.seal == head.seal);
    let is_change = |row: &Row| row.entry.object.kind != "management";
    Ok(is_known.then(|| rows.filter(is_change).collect()))
}

/// The objects of one kind that were changed, by their keys.
fn changed(since: &[Row], kind: &str) -> BTreeSet<String> {
    let objects = since.iter().map(|row| &row.entry.object);
    objects
        .filter(|object| object.kind == kind)
        .map(|object| object.name.to_ascii_lowercase())
        .collect()
}

/// The maps that were changed and are still there, as they are now.
async fn later_maps(write: &mut Write, since: &[Row]) -> anyhow::Result<Vec<ScopeMapRecord>> {
    let mut maps = Vec::new();
    for key in changed(since, ScopeMapRecord::KIND) {
        maps.extend(write.find::<ScopeMapRecord>(&key).await?);
    }
    Ok(maps)
}

/// Disables what was changed since the backup and is in it.
async fn disable(write: &mut Write, since: &[Row]) -> anyhow::Result<Vec<Object>> {
    let mut disabled = Vec::new();
    for key in changed(since, TokenRecord::KIND) {
        if let Some(token) = write.find::<TokenRecord>(&key).await?.filter(|token| token.enabled) {
            disabled.push(Object::new(TokenRecord::KIND, &token.name));
            write.put(&TokenRecord { enabled: false, ..token }).await?;
        }
    }
    for key in changed(since, ServicePrincipalRecord::KIND) {
        let known = write.find::<ServicePrincipalRecord>(&key).await?;
        if let Some(service) = known.filter(|service| service.enabled) {
            disabled.push(Object::new(ServicePrincipalRecord::KIND, &service.name));
            write.put(&ServicePrincipalRecord { enabled: false, ..service }).await?;
        }
    }
    let mut registry = write.registry().await?;
    let opens = registry.admin_enabled || registry.anonymous_pull;
    if opens && !changed(since, "registry").is_empty() {
        (registry.admin_enabled, registry.anonymous_pull) = (false, false);
        write.put_registry(&registry).await?;
        disabled.push(Object::new("registry", ""));
    }
    Ok(disabled)
}
