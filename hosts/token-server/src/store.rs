//! The database of the server.
//!
//! SQLite is embedded and the default; PostgreSQL serves several servers at once. The statements
//! are the same for both; what differs is behind [`Database`].
//!
//! Writes are serialised, and each takes the next revision of the registry. A reader that has seen
//! a revision asks for the changes after it, and gets all of them: no revision becomes visible
//! before the one below it.
//!
//! Left out: what may be written, which is [`edit`](crate::domain::edit)'s.

mod audit;
mod backup;
pub(crate) mod folder;
mod keys;
mod known_networks;
mod login_codes;
mod page;
mod records;
mod revoked_tokens;
mod row;
mod secret;
mod shown;
mod tables;
mod temporary;
mod vault;
mod write;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use scopegate_host::database::{self, Schema};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Transaction};
use tokio::time::timeout;

use crate::model::audit::{Actor, AuditKey};

pub use audit::Trail;
pub(crate) use audit::{Cut as AuditCut, Filter as AuditFilter, Outside as AuditOutside};
pub(crate) use backup::{About, Backup, remove_working_copies};
pub use keys::{Algorithm, KeyRecord, RsaSize};
pub(crate) use keys::{AuthorityRecord, KeysRecord};
pub use known_networks::KnownNetwork;
pub use login_codes::LoginCode;
pub use page::Page;
pub use records::{
    Changes, History, Known, PasswordName, RecordKey, RevokedIdentity, ScopeMapRecord,
    ServicePrincipalRecord, TokenRecord,
};
pub(crate) use records::{PasswordRecord, ProviderRecord, RegistryRecord, Tombstone};
pub use revoked_tokens::RevokedToken;
pub(crate) use scopegate_host::database::{ChangeListener, Database};
pub(crate) use secret::{SecretExpiry, SecretRecord};
pub use tables::{Record, Revision};
pub(crate) use temporary::Temporary;
pub(crate) use vault::{SealError, StoredKeys, Vault};
pub use write::Write;

/// How long a database operation may take. Decisions do not wait for it.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The database.
#[derive(Clone, Debug)]
pub struct Store {
    pool: AnyPool,
    database: Arc<dyn Database>,
    trail: Trail,
    /// In whose name it writes.
    actor: Actor,
    vault: Arc<Vault>,
}

impl Store {
    /// Opens a PostgreSQL by its address, or else the SQLite file of a data folder, which is made
    /// when it is missing, and brings the schema up to date. It writes in the server's name.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached or written, or is of a newer version.
    pub async fn open(folder: &Path, url: Option<&str>, trail: Trail) -> anyhow::Result<Self> {
        let schema = Schema {
            file: "scopegate.db",
            channel: "scopegate",
            secret_tables: &["signing_keys", "signing_authority"],
            sqlite: sqlx::migrate!("migrations/sqlite"),
            postgres: sqlx::migrate!("migrations/postgres"),
        };
        let (pool, database) = database::open(folder, url, schema).await?;
        let store = Self { pool, database, vault: Arc::default(), trail, actor: Actor::server() };
        let mut write = store.write().await?;
        if write.ensure_registry().await? {
            write.commit().await?;
        }
        Ok(store)
    }

    /// The same database, written in another name.
    #[must_use]
    pub fn by(&self, actor: Actor) -> Self {
        Self { actor, ..self.clone() }
    }

    /// In whose name it writes.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The key that seals the audit trail.
    #[must_use]
    pub const fn audit_key(&self) -> &AuditKey {
        &self.trail.key
    }

    /// The same database, with the keys that encrypt and decrypt its private keys.
    #[must_use]
    pub fn with_vault(self, vault: Vault) -> Self {
        Self { vault: Arc::new(vault), ..self }
    }

    /// The keys that encrypt and decrypt private keys.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Removes from the database's files what was replaced or deleted there, such as private keys
    /// from before they were encrypted.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn scrub(&self, is_needed: bool) -> sqlx::Result<()> {
        let mut connection = self.pool.acquire().await?;
        self.database.scrub(&mut connection, is_needed).await
    }

    /// Begins a write. Other writes wait until it ends; dropping it rolls it back.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached.
    pub async fn write(&self) -> sqlx::Result<Write> {
        let begin = async {
            let transaction = self.pool.begin_with(self.database.begin_write()).await?;
            Write::begin(transaction, self).await
        };
        timeout(TIMEOUT, begin).await.map_err(|_| sqlx::Error::PoolTimedOut)?
    }

    /// Everything that changed after a revision, in one consistent read; all records for revision
    /// 0.
    ///
    /// # Errors
    ///
    /// When the database cannot be read, or holds an invalid record.
    pub async fn changes(&self, since: Revision) -> sqlx::Result<Changes> {
        self.changes_since(&Known { revision: since, ..Known::default() }).await
    }

    /// The same after a known state, with a check whether the database still has that history.
    ///
    /// # Errors
    ///
    /// When the database cannot be read, or holds an invalid record.
    pub async fn changes_since(&self, known: &Known) -> sqlx::Result<Changes> {
        let read = async {
            let mut transaction = self.pool.begin_with(self.database.begin_read()).await?;
            let changes = Changes::read(&mut transaction, known).await?;
            transaction.rollback().await?;
            Ok(changes)
        };
        timeout(TIMEOUT, read).await.map_err(|_| sqlx::Error::PoolTimedOut)?
    }

    /// Begins a new epoch of a restored database, and a revision above every known one: tokens,
    /// feeds and bundles from before are refused from then on. Does nothing when the epoch is not
    /// `left` any more, because another process was quicker.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn begin_epoch(&self, left: Option<&Known>) -> sqlx::Result<Option<String>> {
        let mut write = self.write().await?;
        let Some(epoch) = write.begin_epoch(left).await? else { return Ok(None) };
        write.commit().await?;
        Ok(Some(epoch))
    }

    /// A connection for reading. Decisions use none.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached.
    pub async fn read(&self) -> sqlx::Result<Read> {
        let acquire = self.pool.acquire();
        let connection = timeout(TIMEOUT, acquire).await.map_err(|_| sqlx::Error::PoolTimedOut)?;
        connection.map(Reading::Now).map(Read)
    }

    /// The same, of one state: what is written meanwhile is not seen.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached.
    pub async fn snapshot(&self) -> sqlx::Result<Read> {
        let begin = self.pool.begin_with(self.database.begin_read());
        let transaction = timeout(TIMEOUT, begin).await.map_err(|_| sqlx::Error::PoolTimedOut)?;
        transaction.map(Reading::Snapshot).map(Read)
    }

    /// Notifies when another process may have written.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached.
    pub async fn change_listener(&self) -> sqlx::Result<Box<dyn ChangeListener>> {
        timeout(TIMEOUT, self.database.change_listener())
            .await
            .map_err(|_| sqlx::Error::PoolTimedOut)?
    }
}

/// A connection for reading what management shows.
#[derive(Debug)]
pub struct Read(Reading);

#[derive(Debug)]
enum Reading {
    Now(PoolConnection<Any>),
    Snapshot(Transaction<'static, Any>),
}

impl Read {
    fn db(&mut self) -> &mut AnyConnection {
        match &mut self.0 {
            Reading::Now(connection) => connection,
            Reading::Snapshot(transaction) => transaction,
        }
    }

    /// The registry.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn registry(&mut self) -> sqlx::Result<RegistryRecord> {
        RegistryRecord::read(self.db()).await
    }

    /// The signing keys, as they are stored.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn stored_keys(&mut self) -> sqlx::Result<StoredKeys> {
        KeysRecord::read(self.db()).await.map(StoredKeys::new)
    }

    /// The scope map, token or service principal with this name, in any case.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn find<R: Record>(&mut self, name: &str) -> sqlx::Result<Option<R>> {
        tables::find(self.db(), name).await
    }

    /// Scope maps, tokens or service principals in the order of their keys.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn page<R: Record>(&mut self, page: &Page) -> sqlx::Result<Vec<R>> {
        tables::page(self.db(), page).await
    }
}
