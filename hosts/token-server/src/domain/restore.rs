//! Restoring a backup, so that nothing which was taken away since comes back.
//!
//! A restore begins a new epoch: every older token, feed and bundle ends. A database that is not
//! empty keeps its audit trail and its signing keys. Where the trail goes on from the backup's, it
//! says what was changed since: a principal that was changed or deleted comes back disabled, the
//! admin account and anonymous pull off, and a scope map with those of its rules that it had both
//! then and now, one that was deleted without any. After another restore everything counts as
//! changed. Where the trail does not go on, and on another machine, it is not known what was
//! changed since; the log has it, under the target `audit`.
//!
//! Left out: redoing those changes, which is the operator's to decide.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, ensure};
use scopegate_core::scope_map::Rule;

use crate::domain::keys::certificate::Certificate;
use crate::domain::keys::{Authority, SigningKey};
use crate::model::audit::{Head, Object, Operation, Row};
use crate::store::{
    About, AuthorityRecord, Backup, Changes, KeysRecord, Known, Record, Revision, ScopeMapRecord,
    ServicePrincipalRecord, Store, StoredKeys, TokenRecord, Vault, Write,
};

const UNREADABLE: &str = "the backup holds what no server can read";

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
    let taken = match &since {
        Some(since) if !options.as_it_was => Taken::new(since),
        _ => Taken::default(),
    };
    let left = write.everything().await?;
    write.replace_all(&mut backup, is_empty).await?;
    let mut restored = write.everything().await.context(UNREADABLE)?;
    check(&restored).context(UNREADABLE)?;
    if is_empty {
        check_keys(&restored.keys, store.vault()).context(UNREADABLE)?;
    }
    let known = Known {
        epoch: restored.registry.epoch.clone(),
        revision: left.registry.revision.max(restored.registry.revision),
        write_id: String::new(),
    };
    let epoch = write.begin_epoch(Some(&known)).await?.unwrap_or_default();
    write.note_restore(backup.about.made_at, backup.about.revision);
    let maps = taken.of(std::mem::take(&mut restored.scope_maps));
    let mut disabled = narrow(&mut write, maps, &left.scope_maps).await?;
    let was_arm = left.registry.authentication_as_arm;
    disabled.append(&mut disable(&mut write, &taken, restored, was_arm).await?);
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

/// What was changed since the backup, and must not come back as it was.
#[derive(Default)]
struct Taken<'r> {
    /// Another restore leaves one row, whatever it changed.
    everything: bool,
    objects: BTreeSet<(&'r str, String)>,
}

impl<'r> Taken<'r> {
    fn new(since: &'r [Row]) -> Self {
        let everything = since.iter().any(|row| row.entry.operation == Operation::Restore.as_str());
        let objects = since.iter().map(|row| &row.entry.object);
        let objects =
            objects.map(|object| (object.kind.as_str(), object.name.to_ascii_lowercase()));
        Self { everything, objects: objects.collect() }
    }

    fn has(&self, kind: &'static str, key: &str) -> bool {
        self.everything || self.objects.contains(&(kind, key.to_ascii_lowercase()))
    }

    /// The records that were changed.
    fn of<R: Record>(&self, records: Vec<R>) -> Vec<R> {
        records.into_iter().filter(|record| self.has(R::KIND, record.key())).collect()
    }
}

/// Refuses what no server could start with, and what no revocation could end.
fn check(restored: &Changes) -> anyhow::Result<()> {
    for map in &restored.scope_maps {
        for action in &map.actions {
            Rule::parse(action)
                .with_context(|| format!("the scope map {} has the action {action:?}", map.name))?;
        }
    }
    let revision = restored.registry.revision;
    let latest = generations(restored).max().unwrap_or_default();
    ensure!(latest <= revision, "a generation, {latest}, is above the revision, {revision}");
    Ok(())
}

/// The generations of everything: a token of an older one has ended.
fn generations(all: &Changes) -> impl Iterator<Item = Revision> {
    let registry = [all.registry.admin_generation, all.registry.anonymous_generation];
    let maps = all.scope_maps.iter().map(|map| map.generation);
    let tokens = all.tokens.iter().map(|token| token.generation);
    let services = all.service_principals.iter().map(|service| service.generation);
    let providers = all.providers.iter().flat_map(|it| [it.generation, it.revoked]);
    let identities = all.revoked_identities.iter().map(|identity| identity.revision);
    registry
        .into_iter()
        .chain(maps)
        .chain(tokens)
        .chain(services)
        .chain(providers)
        .chain(identities)
}

/// Refuses keys with which no server could start. Private keys that cannot be decrypted here are
/// left out.
fn check_keys(stored: &StoredKeys, vault: &Vault) -> anyhow::Result<()> {
    if let Ok(KeysRecord { keys, authority }) = stored.open(vault) {
        keys.iter().try_for_each(|key| SigningKey::read(key).map(drop))?;
        return authority.iter().try_for_each(|it| Authority::read(it).map(drop));
    }
    let KeysRecord { keys, authority } = stored.records();
    keys.iter().try_for_each(|key| SigningKey::read_certificate(key).map(drop))?;
    let is_readable = |it: &AuthorityRecord| Certificate::read_pem(&it.certificate).is_some();
    ensure!(authority.iter().all(is_readable), "the authority's certificate is not a certificate");
    Ok(())
}

/// Leaves a map that was changed since the backup only the rules that it had then and has now: its
/// owner may have taken some away, and others may have added some. Returns those that lose any.
async fn narrow(
    write: &mut Write,
    changed: Vec<ScopeMapRecord>,
    left: &[ScopeMapRecord],
) -> anyhow::Result<Vec<Object>> {
    let mut narrowed = Vec::new();
    for map in changed {
        let now = left.iter().find(|now| now.key == map.key);
        let has_now = |action: &&String| now.is_some_and(|now| now.actions.contains(action));
        let actions: Vec<String> = map.actions.iter().filter(has_now).cloned().collect();
        if actions != map.actions {
            narrowed.push(Object::new(ScopeMapRecord::KIND, &map.name));
            write.put(&ScopeMapRecord { actions, ..map }).await?;
        }
    }
    Ok(narrowed)
}

/// Disables what was changed since the backup and is in it.
async fn disable(
    write: &mut Write,
    taken: &Taken<'_>,
    restored: Changes,
    was_arm: bool,
) -> anyhow::Result<Vec<Object>> {
    let mut disabled = Vec::new();
    for token in taken.of(restored.tokens).into_iter().filter(|token| token.enabled) {
        disabled.push(Object::new(TokenRecord::KIND, &token.name));
        write.put(&TokenRecord { enabled: false, ..token }).await?;
    }
    let services = taken.of(restored.service_principals);
    for service in services.into_iter().filter(|service| service.enabled) {
        disabled.push(Object::new(ServicePrincipalRecord::KIND, &service.name));
        write.put(&ServicePrincipalRecord { enabled: false, ..service }).await?;
    }
    let mut registry = write.registry().await?;
    let opens_again = registry.authentication_as_arm && !was_arm;
    let opens = registry.admin_enabled || registry.anonymous_pull || opens_again;
    if opens && taken.has("registry", "") {
        (registry.admin_enabled, registry.anonymous_pull) = (false, false);
        registry.authentication_as_arm &= was_arm;
        write.put_registry(&registry).await?;
        disabled.push(Object::new("registry", ""));
    }
    Ok(disabled)
}
