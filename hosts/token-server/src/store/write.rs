//! One write transaction: all of it is applied, or nothing, and a row of the audit trail with each
//! change.

use std::sync::Arc;

use scopegate_core::ScopeMap;
use scopegate_host::database::Database;
use serde_json::{Value, json};
use sqlx::{Any, AnyConnection, AssertSqlSafe, Row as _, Transaction};
use uuid::Uuid;

use super::Store;
use super::audit::{self, Trail};
use super::keys::{AuthorityRecord, KeyRecord, KeysRecord};
use super::page::Page;
use super::records::{
    Known, ProviderRecord, RegistryRecord, ScopeMapRecord, ServicePrincipalRecord,
    TOMBSTONE_HORIZON,
};
use super::revoked_tokens::RevokedToken;
use super::row::to_json;
use super::tables::{self, Record, Revision};
use super::vault::{StoredKeys, Vault};
use crate::clock;
use crate::model::audit::{Actor, Checkpoint, Entry, Object, Operation, Row, Shown};

/// An open write. It is rolled back unless it is committed.
#[derive(Debug)]
pub struct Write {
    transaction: Transaction<'static, Any>,
    database: Arc<dyn Database>,
    trail: Trail,
    actor: Actor,
    /// What was changed so far, in order.
    entries: Vec<Entry>,
    vault: Arc<Vault>,
    revision: Revision,
    /// The number of user-defined scope maps, once counted.
    scope_maps: Option<i64>,
    /// The number of tokens, once counted.
    tokens: Option<i64>,
}

impl Write {
    pub(super) async fn begin(
        mut transaction: Transaction<'static, Any>,
        store: &Store,
    ) -> sqlx::Result<Self> {
        let revision = match next_revision(&mut transaction).await? {
            Some(revision) => revision,
            None => {
                insert_registry(&mut transaction).await?;
                next_revision(&mut transaction).await?.ok_or(sqlx::Error::RowNotFound)?
            }
        };
        note_write(&mut transaction, revision).await?;
        Ok(Self {
            transaction,
            database: Arc::clone(&store.database),
            vault: Arc::clone(&store.vault),
            trail: store.trail.clone(),
            actor: store.actor.clone(),
            entries: Vec::new(),
            revision,
            scope_maps: None,
            tokens: None,
        })
    }

    /// Begins a new epoch, with a revision above the known one of the old epoch. Readers of an
    /// earlier revision get the full state at once.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub(crate) async fn begin_epoch(
        &mut self,
        left: Option<&Known>,
    ) -> sqlx::Result<Option<String>> {
        let registry = self.registry().await?;
        if left.is_some_and(|left| left.epoch != registry.epoch) {
            return Ok(None);
        }
        let revision =
            left.map_or(self.revision, |left| self.revision.max(left.revision.saturating_add(1)));
        let epoch = random_id();
        sqlx::query("update registry set epoch = $1, revision = $2, forgotten = $2")
            .bind(epoch.as_str())
            .bind(revision)
            .execute(&mut *self.transaction)
            .await?;
        // Write ids of the old history must not be compared with this one.
        sqlx::query("delete from writes").execute(&mut *self.transaction).await?;
        note_write(&mut self.transaction, revision).await?;
        self.revision = revision;
        let [before, after] = [&registry.epoch, &epoch].map(|epoch| json!({ "epoch": epoch }));
        self.note(Operation::Revoke, Object::new("registry", ""), Some(before), Some(after));
        Ok(Some(epoch))
    }

    /// The connection of the transaction, for the rows that other modules write.
    pub(super) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.transaction
    }

    /// Whether there is nothing but what every server makes at its start: a trail is something,
    /// too.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn is_empty(&mut self) -> sqlx::Result<bool> {
        let count = sqlx::query_scalar::<_, i64>(
            "select (select count(*) from tokens) + (select count(*) from service_principals)
                + (select count(*) from scope_maps where substr(key, 1, 1) <> '_')
                + (select count(*) from audit where actor_kind <> 'server')
                + (select count(*) from audit_checkpoint)",
        );
        Ok(count.fetch_one(&mut *self.transaction).await? == 0)
    }

    /// The rows of the audit trail from a number on.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn audit_from(&mut self, number: i64) -> sqlx::Result<Vec<Row>> {
        audit::after(&mut self.transaction, number.saturating_sub(1), i64::MAX).await
    }

    /// Where the trail begins, when its first rows were deleted.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) async fn audit_checkpoint(&mut self) -> sqlx::Result<Option<Checkpoint>> {
        audit::checkpoint(&mut self.transaction).await
    }

    /// Notes that everything was replaced by a backup.
    pub(crate) fn note_restore(&mut self, made_at: i64, revision: Revision) {
        let after = json!({ "madeAt": made_at, "revision": revision });
        self.note(Operation::Restore, Object::new("registry", ""), None, Some(after));
    }

    /// The revision that this write makes.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Commits, and notifies the other servers.
    ///
    /// # Errors
    ///
    /// When the database cannot be written. The commit may still have happened.
    pub async fn commit(mut self) -> sqlx::Result<Revision> {
        let rows = audit::append(&mut self.transaction, &self.trail.key, self.entries).await?;
        self.database.notify(&mut self.transaction).await?;
        self.transaction.commit().await?;
        rows.iter().for_each(|row| (self.trail.listener)(row));
        Ok(self.revision)
    }

    /// Notes a change for the audit trail, unless nothing that is shown has changed.
    fn note(
        &mut self,
        operation: Operation,
        object: Object,
        before: Option<Value>,
        after: Option<Value>,
    ) {
        if before == after {
            return;
        }
        self.entries.push(Entry {
            at: clock::now(),
            actor: self.actor.clone(),
            operation: operation.as_str().to_owned(),
            object,
            before: before.map(|value| value.to_string()),
            after: after.map(|value| value.to_string()),
            revision: self.revision,
        });
    }

    /// Notes that something was written.
    fn note_put(&mut self, object: Object, before: Option<Value>, after: Value) {
        let operation = if before.is_some() { Operation::Update } else { Operation::Create };
        self.note(operation, object, before, Some(after));
    }

    /// Writes the records that every registry has; returns whether any was missing.
    pub(super) async fn ensure_registry(&mut self) -> sqlx::Result<bool> {
        let mut changed = false;
        let mut registry = self.registry().await?;
        if registry.epoch.is_empty() {
            self.begin_epoch(None).await?;
            changed = true;
        }
        if registry.tenant.is_empty() {
            (registry.tenant, registry.subscription) = (guid(), guid());
            self.put_registry(&registry).await?;
            changed = true;
        }
        for map in ScopeMap::system_defined() {
            let Some(name) = map.name.as_ref().map(ToString::to_string) else { continue };
            let actions: Vec<String> = map.rules.iter().map(ToString::to_string).collect();
            let known: Option<ScopeMapRecord> = self.find(&name).await?;
            if known.is_some_and(|known| known.actions == actions) {
                continue;
            }
            let record = ScopeMapRecord {
                key: name.to_ascii_lowercase(),
                name,
                description: map.description,
                actions,
                created_at: registry.created_at,
                revision: self.revision,
                generation: self.revision,
            };
            self.put(&record).await?;
            changed = true;
        }
        Ok(changed)
    }

    /// The registry.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn registry(&mut self) -> sqlx::Result<RegistryRecord> {
        RegistryRecord::read(&mut self.transaction).await
    }

    /// The scope map, token or service principal with this name, in any case.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn find<R: Record>(&mut self, name: &str) -> sqlx::Result<Option<R>> {
        tables::find(&mut self.transaction, name).await
    }

    /// Counts one more user-defined scope map against `limit`; returns whether it fits. The
    /// database counts once for each write.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn reserve_scope_map(&mut self, limit: i64) -> sqlx::Result<bool> {
        let count = match self.scope_maps {
            Some(count) => count,
            None => {
                let own = sqlx::query_scalar(
                    "select count(*) from scope_maps where substr(key, 1, 1) <> '_'",
                );
                own.fetch_one(&mut *self.transaction).await?
            }
        };
        self.scope_maps = Some(count.saturating_add(1));
        Ok(count < limit)
    }

    /// Counts one more token against `limit`; returns whether it fits. The database counts once for
    /// each write.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn reserve_token(&mut self, limit: i64) -> sqlx::Result<bool> {
        let count = match self.tokens {
            Some(count) => count,
            None => {
                let all = sqlx::query_scalar("select count(*) from tokens");
                all.fetch_one(&mut *self.transaction).await?
            }
        };
        self.tokens = Some(count.saturating_add(1));
        Ok(count < limit)
    }

    /// The name of a principal that uses this scope map, if any.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn user_of_scope_map(&mut self, key: &str) -> sqlx::Result<Option<String>> {
        let token = sqlx::query("select name from tokens where scope_map = $1 limit 1")
            .bind(key)
            .fetch_optional(&mut *self.transaction)
            .await?;
        if let Some(row) = token {
            return row.try_get(0).map(Some);
        }
        let mut page = Page::first();
        loop {
            let some: Vec<ServicePrincipalRecord> =
                tables::page(&mut self.transaction, &page).await?;
            let Some(last) = some.last() else { return Ok(None) };
            page.after.clone_from(&last.key);
            let has = |principal: &ServicePrincipalRecord| {
                principal.scope_maps.iter().any(|map| map == key)
            };
            if let Some(user) = some.into_iter().find(has) {
                return Ok(Some(user.name));
            }
        }
    }

    /// Writes the registry's settings. Its ids and its revision stay.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn put_registry(&mut self, registry: &RegistryRecord) -> sqlx::Result<()> {
        let before = self.registry().await?.shown();
        self.note_put(Object::new("registry", ""), Some(before), registry.shown());
        sqlx::query(
            "update registry set tenant = $1, subscription = $2, admin_enabled = $3, admin_passwords = $4,
                admin_generation = $5, anonymous_pull = $6, anonymous_generation = $7,
                authentication_as_arm = $8",
        )
        .bind(registry.tenant.as_str())
        .bind(registry.subscription.as_str())
        .bind(i64::from(registry.admin_enabled))
        .bind(to_json(&registry.admin_passwords)?)
        .bind(registry.admin_generation)
        .bind(i64::from(registry.anonymous_pull))
        .bind(registry.anonymous_generation)
        .bind(i64::from(registry.authentication_as_arm))
        .execute(&mut *self.transaction)
        .await
        .map(drop)
    }

    /// Writes a scope map, a token or a service principal, new or changed.
    ///
    /// # Errors
    ///
    /// When the database cannot be written, or the scope map of a token does not exist.
    pub async fn put<R: Record>(&mut self, record: &R) -> sqlx::Result<()> {
        let before = self.find::<R>(record.key()).await?.map(|before| before.shown());
        self.note_put(Object::new(R::KIND, record.name()), before, record.shown());
        let put = record.bind(sqlx::query(R::PUT))?.bind(self.revision);
        put.execute(&mut *self.transaction).await?;
        self.clear_tombstone::<R>(record.key()).await
    }

    /// Deletes the record with this name, in any case, and leaves a tombstone; returns whether it
    /// existed.
    ///
    /// # Errors
    ///
    /// When the database cannot be written, or the scope map is in use.
    pub async fn delete<R: Record>(&mut self, name: &str) -> sqlx::Result<bool> {
        let Some(before) = self.find::<R>(name).await? else { return Ok(false) };
        let object = Object::new(R::KIND, before.name());
        self.note(Operation::Delete, object, Some(before.shown()), None);
        let key = name.to_ascii_lowercase();
        let delete = AssertSqlSafe(format!("delete from {} where key = $1", R::TABLE));
        sqlx::query(delete).bind(key.as_str()).execute(&mut *self.transaction).await?;
        sqlx::query("insert into departures (kind, key, revision) values ($1, $2, $3)")
            .bind(R::KIND)
            .bind(key)
            .bind(self.revision)
            .execute(&mut *self.transaction)
            .await?;
        self.prune_tombstones().await?;
        Ok(true)
    }

    /// Prunes tombstones beyond the horizon. A reader behind it reads the full state.
    async fn prune_tombstones(&mut self) -> sqlx::Result<()> {
        let until = self.revision.saturating_sub(TOMBSTONE_HORIZON);
        for statement in [
            "delete from departures where revision <= $1",
            "update registry set forgotten = $1 where forgotten < $1",
        ] {
            sqlx::query(statement).bind(until).execute(&mut *self.transaction).await?;
        }
        Ok(())
    }

    /// Removes the tombstone of a re-created record.
    async fn clear_tombstone<R: Record>(&mut self, key: &str) -> sqlx::Result<()> {
        sqlx::query("delete from departures where kind = $1 and key = $2")
            .bind(R::KIND)
            .bind(key)
            .execute(&mut *self.transaction)
            .await
            .map(drop)
    }

    /// Every identity provider, those removed from the configuration too.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn providers(&mut self) -> sqlx::Result<Vec<ProviderRecord>> {
        tables::since(&mut self.transaction, Revision::MIN).await
    }

    /// Writes an identity provider, new or changed.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn put_provider(&mut self, provider: &ProviderRecord) -> sqlx::Result<()> {
        let known = self.providers().await?.into_iter().find(|known| known.name == provider.name);
        let object = Object::new("provider", &provider.name);
        match known {
            Some(known) if known.fingerprint == provider.fingerprint => {
                self.note(Operation::Revoke, object, Some(known.shown()), Some(provider.shown()));
            }
            known => self.note_put(object, known.map(|known| known.shown()), provider.shown()),
        }
        sqlx::query(
            "insert into identity_providers (name, fingerprint, revision, generation, revoked) values ($1, $2, $3, $4, $5)
             on conflict (name) do update set fingerprint = excluded.fingerprint, revision = excluded.revision,
                generation = excluded.generation, revoked = excluded.revoked",
        )
        .bind(provider.name.as_str())
        .bind(provider.fingerprint.as_str())
        .bind(self.revision)
        .bind(provider.generation)
        .bind(provider.revoked)
        .execute(&mut *self.transaction)
        .await
        .map(drop)
    }

    /// Revokes an identity's tokens. The subject is in lower case.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn revoke_identity(&mut self, provider: &str, subject: &str) -> sqlx::Result<()> {
        let object = Object::new("identity", &format!("{provider}/{subject}"));
        self.note(Operation::Revoke, object, None, Some(json!({ "generation": self.revision })));
        sqlx::query(
            "insert into revoked_identities (provider, subject, revision) values ($1, $2, $3)
             on conflict (provider, subject) do update set revision = excluded.revision",
        )
        .bind(provider)
        .bind(subject)
        .bind(self.revision)
        .execute(&mut *self.transaction)
        .await
        .map(drop)
    }

    /// Revokes a refresh token, and forgets those that had expired before a time, in seconds since
    /// 1970.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn revoke_token(
        &mut self,
        token: &RevokedToken,
        expired_before: i64,
    ) -> sqlx::Result<()> {
        let object = Object::new("refresh_token", &token.jti);
        let after = json!({ "expiresAt": token.expires_at });
        self.note(Operation::Revoke, object, None, Some(after));
        sqlx::query("delete from revoked_tokens where expires_at < $1")
            .bind(expired_before)
            .execute(&mut *self.transaction)
            .await?;
        sqlx::query(
            "insert into revoked_tokens (jti, expires_at, revision) values ($1, $2, $3)
             on conflict (jti) do nothing",
        )
        .bind(token.jti.as_str())
        .bind(token.expires_at)
        .bind(self.revision)
        .execute(&mut *self.transaction)
        .await
        .map(drop)
    }

    /// The signing keys, decrypted.
    ///
    /// # Errors
    ///
    /// When the database cannot be read, or a private key cannot be decrypted.
    pub async fn keys(&mut self) -> sqlx::Result<KeysRecord> {
        Ok(self.stored_keys().await?.open(&self.vault)?)
    }

    /// The signing keys, as they are stored.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn stored_keys(&mut self) -> sqlx::Result<StoredKeys> {
        KeysRecord::read(&mut self.transaction).await.map(StoredKeys::new)
    }

    /// Encrypts again every private key that the vault's current key does not encrypt; returns how
    /// many there were.
    ///
    /// # Errors
    ///
    /// When the database cannot be written, or a private key cannot be decrypted.
    pub async fn seal_again(&mut self) -> sqlx::Result<usize> {
        let KeysRecord { keys, authority } = self.stored_keys().await?.to_be_sealed(&self.vault)?;
        for key in &keys {
            sqlx::query("update signing_keys set private_key = $1 where kid = $2")
                .bind(self.vault.seal_key(key)?)
                .bind(key.kid.as_str())
                .execute(&mut *self.transaction)
                .await?;
        }
        if let Some(authority) = &authority {
            self.put_authority(authority).await?;
        }
        let count = keys.len() + usize::from(authority.is_some());
        if count > 0 {
            let after = json!({ "encryptedWith": self.vault.current_id(), "count": count });
            self.note(Operation::Update, Object::new("signing_key", ""), None, Some(after));
        }
        Ok(count)
    }

    async fn key(&mut self, kid: &str) -> sqlx::Result<Option<KeyRecord>> {
        let stored = self.stored_keys().await?;
        Ok(stored.records().keys.iter().find(|key| key.kid == kid).cloned())
    }

    /// Writes the authority behind the signing keys, replacing the old one.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn put_authority(&mut self, authority: &AuthorityRecord) -> sqlx::Result<()> {
        let stored = self.stored_keys().await?;
        let before = stored.records().authority.as_ref().map(Shown::shown);
        self.note_put(Object::new("authority", ""), before, authority.shown());
        sqlx::query(
            "insert into signing_authority (id, private_key, certificate) values (1, $1, $2)
             on conflict (id) do update set private_key = excluded.private_key, certificate = excluded.certificate",
        )
        .bind(self.vault.seal_authority(authority)?)
        .bind(authority.certificate.as_str())
        .execute(&mut *self.transaction)
        .await
        .map(drop)
    }

    /// Writes a signing key: a new one, or another certificate or time of one that is known.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn put_key(&mut self, key: &KeyRecord) -> sqlx::Result<()> {
        let before = self.key(&key.kid).await?.map(|before| before.shown());
        self.note_put(Object::new("signing_key", &key.kid), before, key.shown());
        sqlx::query(
            "insert into signing_keys (kid, algorithm, private_key, certificate, created_at, signs_from)
             values ($1, $2, $3, $4, $5, $6)
             on conflict (kid) do update set certificate = excluded.certificate, signs_from = excluded.signs_from",
        )
        .bind(key.kid.as_str())
        .bind(key.algorithm.as_str())
        .bind(self.vault.seal_key(key)?)
        .bind(key.certificate.as_str())
        .bind(key.created_at)
        .bind(key.signs_from)
        .execute(&mut *self.transaction)
        .await
        .map(drop)
    }

    /// Deletes a signing key.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn delete_key(&mut self, kid: &str) -> sqlx::Result<()> {
        let before = self.key(kid).await?.map(|before| before.shown());
        self.note(Operation::Delete, Object::new("signing_key", kid), before, None);
        sqlx::query("delete from signing_keys where kid = $1")
            .bind(kid)
            .execute(&mut *self.transaction)
            .await
            .map(drop)
    }
}

/// Takes the next revision, and with it the row lock: another write waits here until this one has
/// ended.
async fn next_revision(db: &mut AnyConnection) -> sqlx::Result<Option<Revision>> {
    sqlx::query_scalar("update registry set revision = revision + 1 returning revision")
        .fetch_optional(db)
        .await
}

/// Records the random id of a revision's write.
async fn note_write(db: &mut AnyConnection, revision: Revision) -> sqlx::Result<()> {
    sqlx::query("delete from writes where revision <= $1 or revision >= $2")
        .bind(revision.saturating_sub(TOMBSTONE_HORIZON))
        .bind(revision)
        .execute(&mut *db)
        .await?;
    sqlx::query("insert into writes (revision, id) values ($1, $2)")
        .bind(revision)
        .bind(random_id())
        .execute(db)
        .await
        .map(drop)
}

fn random_id() -> String {
    Uuid::new_v4().simple().to_string()
}

async fn insert_registry(db: &mut AnyConnection) -> sqlx::Result<()> {
    sqlx::query(
        "insert into registry (id, rid, tenant, subscription, created_at, revision, forgotten,
            admin_enabled, admin_passwords, admin_generation, anonymous_pull, anonymous_generation)
         values (1, $1, $2, $3, $4, 0, 0, 0, '[]', 0, 0, 0) on conflict do nothing",
    )
    .bind(Uuid::new_v4().simple().to_string())
    .bind(guid())
    .bind(guid())
    .bind(clock::now())
    .execute(db)
    .await
    .map(drop)
}

fn guid() -> String {
    Uuid::new_v4().to_string()
}
