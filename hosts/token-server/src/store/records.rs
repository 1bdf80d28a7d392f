//! The rows, as values: the columns of each, and the statement that writes it.

use scopegate_core::scope_map::Role;
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, FromRow, Row as _};

use super::keys::KeysRecord;
use super::revoked_tokens::RevokedToken;
use super::row::{flag, json, to_json};
use super::secret::SecretRecord;
use super::tables::{self, Put, Record, Revision, Tabled};
use super::vault::StoredKeys;
use crate::model::password::PasswordDigest;

/// For how many revisions tombstones and the ids of writes are kept.
pub(super) const TOMBSTONE_HORIZON: Revision = 100_000;

#[derive(Clone, Debug, Default)]
pub struct RegistryRecord {
    /// 32 hexadecimal digits, the `rid` of every token.
    pub rid: String,
    /// The tenant in the addresses of clients, a GUID.
    pub tenant: String,
    /// The subscription in the addresses of Azure Resource Manager, a GUID.
    pub subscription: String,
    /// Seconds since 1970.
    pub created_at: i64,
    /// The last write.
    pub revision: Revision,
    /// Random; replaced after a restore of the database.
    pub epoch: String,
    /// The random id of the last write.
    pub write_id: String,
    /// Tombstones up to this revision are pruned.
    pub tombstone_horizon: Revision,
    /// Whether the admin account opens anything.
    pub admin_enabled: bool,
    pub admin_passwords: Vec<PasswordRecord>,
    /// The revision of the last change that must end the admin's tokens.
    pub admin_generation: Revision,
    /// Whether anonymous clients may pull.
    pub anonymous_pull: bool,
    /// The revision of the last change that must end anonymous tokens.
    pub anonymous_generation: Revision,
    /// Whether a token of our authority for management is taken in exchange.
    pub authentication_as_arm: bool,
}

#[derive(Clone, Debug)]
pub struct ScopeMapRecord {
    /// The name in lower case.
    pub key: String,
    /// The name, as it was given.
    pub name: String,
    pub description: String,
    /// The action strings in their owner's order.
    pub actions: Vec<String>,
    /// Seconds since 1970.
    pub created_at: i64,
    /// The last change.
    pub revision: Revision,
    /// The last change that took something away.
    pub generation: Revision,
}

/// A scope-map token.
#[derive(Clone, Debug)]
pub struct TokenRecord {
    /// The name in lower case.
    pub key: String,
    /// The name, as it was given.
    pub name: String,
    /// The key of its scope map.
    pub scope_map: Option<String>,
    /// Whether its passwords open anything.
    pub enabled: bool,
    /// At most two.
    pub passwords: Vec<PasswordRecord>,
    /// Seconds since 1970.
    pub created_at: i64,
    /// The last change.
    pub revision: Revision,
    /// The last change that must end its tokens.
    pub generation: Revision,
}

/// A generated password: never itself, only its digest.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PasswordRecord {
    /// Which of the two.
    pub name: PasswordName,
    pub sha256: PasswordDigest,
    /// Seconds since 1970.
    pub created_at: i64,
    /// When it expires, in seconds since 1970; never, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

/// Which password of a principal. Tokens have the last two, the admin the first and the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PasswordName {
    /// The admin's first.
    Password,
    /// A token's first.
    Password1,
    /// The second of either.
    Password2,
}

#[derive(Clone)]
pub struct ServicePrincipalRecord {
    /// The client id in lower case.
    pub key: String,
    /// The client id, as it was given.
    pub name: String,
    pub display_name: String,
    /// Whether its secrets open anything.
    pub enabled: bool,
    /// Names of roles.
    pub roles: Vec<String>,
    /// Keys of scope maps.
    pub scope_maps: Vec<String>,
    /// At most two.
    pub secrets: Vec<SecretRecord>,
    /// Seconds since 1970.
    pub created_at: i64,
    /// The last change.
    pub revision: Revision,
    /// The last change that must end its tokens.
    pub generation: Revision,
}

/// An identity provider that the configuration has, or once had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderRecord {
    /// The name in the configuration.
    pub name: String,
    /// What its identities are given by, digested; empty for a provider that is gone.
    pub fingerprint: String,
    /// The last change, of its configuration too: access tokens of an older generation have ended.
    pub generation: Revision,
    /// The write that revoked all its identities, or that found it gone: refresh tokens of an older
    /// generation have ended too.
    pub revoked: Revision,
}

/// An identity that was revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedIdentity {
    /// The name of its provider.
    pub provider: String,
    /// The subject in lower case.
    pub subject: String,
    /// The write that revoked it.
    pub revision: Revision,
}

/// A deleted record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// The deleted record's key.
    pub what: RecordKey,
    /// The write that deleted it.
    pub revision: Revision,
}

/// A row that may be deleted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RecordKey {
    /// A scope map's key.
    ScopeMap(String),
    /// A token's key.
    Token(String),
    /// A service principal's key.
    ServicePrincipal(String),
}

/// The state of a database that a reader has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The epoch; empty when nothing was read yet.
    pub epoch: String,
    /// The last write.
    pub revision: Revision,
    /// The random id of that write; empty when unknown.
    pub write_id: String,
}

/// How the database relates to a state that was read before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum History {
    /// The same history, perhaps with newer writes.
    #[default]
    Same,
    /// Another epoch: it was restored, and `restore` was run.
    AnotherEpoch,
    /// Restored without `restore`: its revision is lower, or the known revision has another write
    /// id.
    PutBack,
}

impl Known {
    async fn compare(
        &self,
        db: &mut AnyConnection,
        registry: &RegistryRecord,
    ) -> sqlx::Result<History> {
        if self.epoch.is_empty() {
            return Ok(History::Same);
        }
        if self.epoch != registry.epoch {
            return Ok(History::AnotherEpoch);
        }
        if registry.revision < self.revision {
            return Ok(History::PutBack);
        }
        let written = sqlx::query_scalar("select id from writes where revision = $1");
        let written: Option<String> = written.bind(self.revision).fetch_optional(db).await?;
        // A pruned id is inconclusive; a reader that far behind reads everything anyway.
        let is_forgotten = written.is_none()
            && self.revision <= registry.revision.saturating_sub(TOMBSTONE_HORIZON);
        let is_same = is_forgotten || written.as_deref().unwrap_or_default() == self.write_id;
        Ok(if is_same { History::Same } else { History::PutBack })
    }
}

impl From<&RegistryRecord> for Known {
    fn from(registry: &RegistryRecord) -> Self {
        Self {
            epoch: registry.epoch.clone(),
            revision: registry.revision,
            write_id: registry.write_id.clone(),
        }
    }
}

/// What changed after a revision.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Whether this is the full state, and not an increment.
    pub is_everything: bool,
    /// How the database relates to the known state.
    pub history: History,
    /// The registry as it is now.
    pub registry: RegistryRecord,
    /// Scope maps that are new or changed.
    pub scope_maps: Vec<ScopeMapRecord>,
    /// Tokens that are new or changed.
    pub tokens: Vec<TokenRecord>,
    /// Service principals that are new or changed.
    pub service_principals: Vec<ServicePrincipalRecord>,
    /// Identity providers that are new or changed.
    pub providers: Vec<ProviderRecord>,
    /// Identities that were revoked.
    pub revoked_identities: Vec<RevokedIdentity>,
    /// Refresh tokens that were revoked by themselves.
    pub revoked_tokens: Vec<RevokedToken>,
    /// Records that were deleted.
    pub tombstones: Vec<Tombstone>,
    /// Every signing key, and the authority behind them.
    pub keys: StoredKeys,
}

impl Changes {
    /// The changes after the known state; the full state for another history.
    pub(super) async fn read(db: &mut AnyConnection, known: &Known) -> sqlx::Result<Self> {
        let registry = RegistryRecord::read(db).await?;
        let history = known.compare(db, &registry).await?;
        let revision = known.revision;
        if registry.revision == revision && history == History::Same {
            return Ok(Self { registry, ..Self::default() });
        }
        let is_everything = history != History::Same || registry.must_be_read_whole(revision);
        let revision = if is_everything { 0 } else { revision };
        Ok(Self {
            is_everything,
            history,
            scope_maps: tables::since(db, revision).await?,
            tokens: tables::since(db, revision).await?,
            service_principals: tables::since(db, revision).await?,
            providers: tables::since(db, revision).await?,
            revoked_identities: tables::since(db, revision).await?,
            revoked_tokens: tables::since(db, revision).await?,
            tombstones: tables::since(db, revision).await?,
            keys: StoredKeys::new(KeysRecord::read(db).await?),
            registry,
        })
    }
}

impl RegistryRecord {
    /// Whether a reader of this revision needs the full state: one behind the tombstone horizon
    /// could miss a deletion, and one ahead has read a database that was restored since.
    #[must_use]
    pub fn must_be_read_whole(&self, since: Revision) -> bool {
        since < self.tombstone_horizon.max(1) || since > self.revision
    }

    pub(super) async fn read(db: &mut AnyConnection) -> sqlx::Result<Self> {
        let row = sqlx::query(
            "select rid, tenant, subscription, created_at, revision, forgotten,
                admin_enabled, admin_passwords, admin_generation, anonymous_pull, anonymous_generation, epoch,
                coalesce((select id from writes where writes.revision = registry.revision), ''),
                authentication_as_arm
             from registry",
        );
        let row = row.fetch_one(db).await?;
        Ok(Self {
            rid: row.try_get(0)?,
            tenant: row.try_get(1)?,
            subscription: row.try_get(2)?,
            created_at: row.try_get(3)?,
            revision: row.try_get(4)?,
            tombstone_horizon: row.try_get(5)?,
            admin_enabled: flag(&row, 6)?,
            admin_passwords: json(&row, 7)?,
            admin_generation: row.try_get(8)?,
            anonymous_pull: flag(&row, 9)?,
            anonymous_generation: row.try_get(10)?,
            epoch: row.try_get(11)?,
            write_id: row.try_get(12)?,
            authentication_as_arm: flag(&row, 13)?,
        })
    }
}

impl Tabled for ScopeMapRecord {
    const TABLE: &'static str = "scope_maps";
    const COLUMNS: &'static str =
        "key, name, description, actions, created_at, revision, generation";
}

impl FromRow<'_, AnyRow> for ScopeMapRecord {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            key: row.try_get(0)?,
            name: row.try_get(1)?,
            description: row.try_get(2)?,
            actions: json(row, 3)?,
            created_at: row.try_get(4)?,
            revision: row.try_get(5)?,
            generation: row.try_get(6)?,
        })
    }
}

impl Record for ScopeMapRecord {
    const KIND: &'static str = "scope_map";
    const PUT: &'static str =
        "insert into scope_maps (key, name, description, actions, created_at, generation, revision)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (key) do update set description = excluded.description, actions = excluded.actions,
            generation = excluded.generation, revision = excluded.revision";

    fn key(&self) -> &str {
        &self.key
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn bind<'q>(&self, put: Put<'q>) -> sqlx::Result<Put<'q>> {
        Ok(put
            .bind(self.key.as_str())
            .bind(self.name.as_str())
            .bind(self.description.as_str())
            .bind(to_json(&self.actions)?)
            .bind(self.created_at)
            .bind(self.generation))
    }
}

impl Tabled for TokenRecord {
    const TABLE: &'static str = "tokens";
    const COLUMNS: &'static str =
        "key, name, scope_map, enabled, passwords, created_at, revision, generation";
}

impl FromRow<'_, AnyRow> for TokenRecord {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            key: row.try_get(0)?,
            name: row.try_get(1)?,
            scope_map: row.try_get(2)?,
            enabled: flag(row, 3)?,
            passwords: json(row, 4)?,
            created_at: row.try_get(5)?,
            revision: row.try_get(6)?,
            generation: row.try_get(7)?,
        })
    }
}

impl Record for TokenRecord {
    const KIND: &'static str = "token";
    const PUT: &'static str =
        "insert into tokens (key, name, scope_map, enabled, passwords, created_at, generation, revision)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (key) do update set scope_map = excluded.scope_map, enabled = excluded.enabled,
            passwords = excluded.passwords, generation = excluded.generation, revision = excluded.revision";

    fn key(&self) -> &str {
        &self.key
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn bind<'q>(&self, put: Put<'q>) -> sqlx::Result<Put<'q>> {
        Ok(put
            .bind(self.key.as_str())
            .bind(self.name.as_str())
            .bind(self.scope_map.as_deref())
            .bind(i64::from(self.enabled))
            .bind(to_json(&self.passwords)?)
            .bind(self.created_at)
            .bind(self.generation))
    }
}

impl Tabled for ServicePrincipalRecord {
    const TABLE: &'static str = "service_principals";
    const COLUMNS: &'static str = "key, name, display_name, enabled, roles, scope_maps, secrets, created_at, revision, generation";
}

impl FromRow<'_, AnyRow> for ServicePrincipalRecord {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            key: row.try_get(0)?,
            name: row.try_get(1)?,
            display_name: row.try_get(2)?,
            enabled: flag(row, 3)?,
            roles: roles(row, 4)?,
            scope_maps: json(row, 5)?,
            secrets: json(row, 6)?,
            created_at: row.try_get(7)?,
            revision: row.try_get(8)?,
            generation: row.try_get(9)?,
        })
    }
}

impl Record for ServicePrincipalRecord {
    const KIND: &'static str = "service_principal";
    const PUT: &'static str =
        "insert into service_principals
            (key, name, display_name, enabled, roles, scope_maps, secrets, created_at, generation, revision)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (key) do update set display_name = excluded.display_name, enabled = excluded.enabled,
            roles = excluded.roles, scope_maps = excluded.scope_maps, secrets = excluded.secrets,
            generation = excluded.generation, revision = excluded.revision";

    fn key(&self) -> &str {
        &self.key
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn bind<'q>(&self, put: Put<'q>) -> sqlx::Result<Put<'q>> {
        Ok(put
            .bind(self.key.as_str())
            .bind(self.name.as_str())
            .bind(self.display_name.as_str())
            .bind(i64::from(self.enabled))
            .bind(to_json(&self.roles)?)
            .bind(to_json(&self.scope_maps)?)
            .bind(to_json(&self.secrets)?)
            .bind(self.created_at)
            .bind(self.generation))
    }
}

/// Names of roles. An unknown role is an error: dropping it would silently reduce the principal's
/// rights.
fn roles(row: &AnyRow, column: usize) -> sqlx::Result<Vec<String>> {
    let roles: Vec<String> = json(row, column)?;
    match roles.iter().find(|role| Role::parse(role).is_none()) {
        None => Ok(roles),
        Some(unknown) => Err(sqlx::Error::Decode(format!("a role `{unknown}`").into())),
    }
}

impl Tabled for ProviderRecord {
    const TABLE: &'static str = "identity_providers";
    const COLUMNS: &'static str = "name, fingerprint, generation, revoked";
}

impl FromRow<'_, AnyRow> for ProviderRecord {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            name: row.try_get(0)?,
            fingerprint: row.try_get(1)?,
            generation: row.try_get(2)?,
            revoked: row.try_get(3)?,
        })
    }
}

impl ProviderRecord {
    /// Whether the configuration no longer has it.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.fingerprint.is_empty()
    }
}

impl Tabled for RevokedIdentity {
    const TABLE: &'static str = "revoked_identities";
    const COLUMNS: &'static str = "provider, subject, revision";
}

impl FromRow<'_, AnyRow> for RevokedIdentity {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self { provider: row.try_get(0)?, subject: row.try_get(1)?, revision: row.try_get(2)? })
    }
}

impl Tabled for Tombstone {
    const TABLE: &'static str = "departures";
    const COLUMNS: &'static str = "kind, key, revision";
}

impl FromRow<'_, AnyRow> for Tombstone {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        let (kind, key): (&str, String) = (row.try_get(0)?, row.try_get(1)?);
        let what = RecordKey::new(kind, key)
            .ok_or_else(|| sqlx::Error::Decode("a tombstone of an unknown kind".into()))?;
        Ok(Self { what, revision: row.try_get(2)? })
    }
}

impl RecordKey {
    fn new(kind: &str, key: String) -> Option<Self> {
        match kind {
            ScopeMapRecord::KIND => Some(Self::ScopeMap(key)),
            TokenRecord::KIND => Some(Self::Token(key)),
            ServicePrincipalRecord::KIND => Some(Self::ServicePrincipal(key)),
            _ => None,
        }
    }
}

/// Leaves the hashes out.
impl std::fmt::Debug for ServicePrincipalRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServicePrincipalRecord")
            .field("name", &self.name)
            .field("enabled", &self.enabled)
            .field("roles", &self.roles)
            .field("scope_maps", &self.scope_maps)
            .finish_non_exhaustive()
    }
}

impl PasswordRecord {
    /// Whether both are the same password, good for as long.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.name == other.name
            && self.expires_at == other.expires_at
            && self.sha256.matches(&other.sha256)
    }
}

impl PasswordName {
    /// The password with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Password, Self::Password1, Self::Password2]
            .into_iter()
            .find(|known| known.as_str() == name)
    }

    /// The name that clients use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Password1 => "password1",
            Self::Password2 => "password2",
        }
    }
}
