//! Restoring a backup, so that nothing which was taken away since comes back.
//!
//! A restore begins a new epoch: every older token, feed and bundle ends. A database that is not
//! empty keeps its audit trail and its signing keys. Where the trail goes on from the backup's, it
//! says what was changed since: a principal that was changed or deleted comes back disabled, the
//! admin account and anonymous pull off, a scope map that was changed keeps its later rules, and
//! one that was deleted comes back without rules. Where it does not go on, and on another machine,
//! it is not known what was changed since; the log has it, under the target `audit`.
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
/// When the file is no backup, or the database cannot be written. For a database that is not empty,
/// when [`Options::replaces`] is not set, or its trail does not go on from the backup's and
/// [`Options::as_it_was`] is not set.
pub async fn restore(
    store: &Store,
    path: &Path,
    folder: &Path,
    options: Options,
) -> anyhow::Result<Restored> {
    let mut backup = Backup::open(path, folder).await?;
    let mut write = store.write().await?;
    let is_empty = write.is_empty().await?;
    ensure!(
        options.replaces || is_empty,
        "the database is not empty: add `--replace`, and all that was changed since the backup is lost"
    );
    let since = if is_empty { None } else { changes_since(&mut write, &backup.about.head).await? };
    ensure!(
        is_empty || since.is_some() || options.as_it_was,
        "the audit trail does not go on from the backup's, so it is not known what was taken away since: \
         add `--as-it-was`, and all of it comes back"
    );
    let taken_away = since.as_deref().filter(|_| !options.as_it_was).unwrap_or_default();
    let maps = later_maps(&mut write, taken_away).await?;
    let left = write.registry().await?;
    write.replace_all(&mut backup, is_empty).await?;
    let restored = write.registry().await?;
    let known = Known {
        epoch: restored.epoch,
        revision: left.revision.max(restored.revision),
        write_id: String::new(),
    };
    let epoch = write.begin_epoch(Some(&known)).await?.unwrap_or_default();
    write.note_restore(backup.about.made_at, backup.about.revision);
    for map in &maps {
        write.put(map).await?;
    }
    let mut disabled = empty_deleted_maps(&mut write, taken_away, &maps).await?;
    disabled.append(&mut disable(&mut write, taken_away).await?);
    let revision = write.commit().await?;
    Ok(Restored { about: backup.about, epoch, revision, since, disabled })
}

/// The rows after a head, where the trail has its row, or begins behind it.
async fn changes_since(write: &mut Write, head: &Head) -> anyhow::Result<Option<Vec<Row>>> {
    let rows = write.audit_from(head.number).await?;
    let begins_behind = write.audit_checkpoint().await?.is_some_and(|begin| begin.head == *head);
    let is_head = |row: &Row| row.number == head.number && row.seal == head.seal;
    let is_known = begins_behind || rows.first().is_some_and(is_head);
    let is_change = |row: &Row| row.number > head.number && row.entry.object.kind != "management";
    Ok(is_known.then(|| rows.into_iter().filter(is_change).collect()))
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

/// Takes the rules from maps that were deleted since the backup and are in it: they would give
/// rights to identities, which are disabled nowhere.
async fn empty_deleted_maps(
    write: &mut Write,
    since: &[Row],
    later: &[ScopeMapRecord],
) -> anyhow::Result<Vec<Object>> {
    let mut emptied = Vec::new();
    for key in changed(since, ScopeMapRecord::KIND) {
        let is_later = later.iter().any(|map| map.key == key);
        let Some(map) = write.find::<ScopeMapRecord>(&key).await?.filter(|_| !is_later) else {
            continue;
        };
        emptied.push(Object::new(ScopeMapRecord::KIND, &map.name));
        write.put(&ScopeMapRecord { actions: Vec::new(), ..map }).await?;
    }
    Ok(emptied)
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
