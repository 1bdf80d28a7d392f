//! What the server knows, in a database.
//!
//! SQLite is embedded and the default; PostgreSQL serves several servers at once. The statements
//! are the same for both; what differs stands behind [`Database`].
//!
//! Writes run one after the other, and each takes the next revision of the registry. Whoever has
//! seen a revision asks for what came after it, and gets all of it: no revision becomes visible
//! before the one below it.
//!
//! Left out: what may be written, which is [`edit`](crate::domain::edit)'s.

mod database;
pub(crate) mod folder;
mod keys;
mod known_networks;
mod page;
mod postgres;
mod records;
mod row;
mod sqlite;
mod write;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use sqlx::any::AnyPoolOptions;
use sqlx::migrate::MigrateError;
use sqlx::{AnyConnection, AnyPool, Connection as _, Executor as _};
use tokio::time::timeout;

pub(crate) use database::{Database, News};
pub(crate) use keys::AuthorityRecord;
pub use keys::{Algorithm, KeyRecord, RsaSize};
pub use known_networks::KnownNetwork;
pub use page::Page;
pub use records::{
    Changes, History, Known, PasswordName, RecordKey, Revision, RevokedIdentity, TokenRecord,
};
pub(crate) use records::{
    Departure, KeysRecord, PasswordRecord, ProviderRecord, RegistryRecord, ScopeMapRecord,
    ServicePrincipalRecord,
};
pub use write::Write;

/// How long anything in the database may take. Decisions do not wait for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// The database.
#[derive(Clone, Debug)]
pub struct Store {
    pool: AnyPool,
    database: Arc<dyn Database>,
}

impl Store {
    /// Opens a PostgreSQL by its address, or else the SQLite file of a data folder, which is made
    /// when it is missing, and brings the schema up to date.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached or written, or is of a newer version.
    pub async fn open(folder: &Path, url: Option<&str>) -> anyhow::Result<Self> {
        make_folder(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        sqlx::any::install_default_drivers();
        let database: Arc<dyn Database> = match url {
            Some(url) => Arc::new(postgres::Postgres::new(url)?),
            None => {
                let file = sqlite::Sqlite::new(folder);
                Arc::new(file.with_context(|| format!("cannot open {}", folder.display()))?)
            }
        };
        let about = || format!("cannot open {}", database.describe());
        // Held until the schema is up to date: several processes may begin on a database that none
        // has seen before.
        let turn = database.turn().await.with_context(about)?;
        let pool = connect(database.as_ref()).await.with_context(about)?;
        migrate(database.as_ref(), &pool).await?;
        drop(turn);
        let store = Self { pool, database };
        let mut write = store.write().await?;
        if write.ensure_registry().await? {
            write.commit().await?;
        }
        Ok(store)
    }

    /// Begins a write. Others wait until it ends; one that is dropped leaves nothing behind.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached.
    pub async fn write(&self) -> sqlx::Result<Write> {
        let begin = async {
            let transaction = self.pool.begin_with(self.database.begin_write()).await?;
            Write::begin(transaction, Arc::clone(&self.database)).await
        };
        timeout(PATIENCE, begin).await.map_err(|_| sqlx::Error::PoolTimedOut)?
    }

    /// Everything that changed after a revision, as it was at one moment; everything there is for
    /// revision 0.
    ///
    /// # Errors
    ///
    /// When the database cannot be read, or holds what is no record.
    pub async fn changes(&self, since: Revision) -> sqlx::Result<Changes> {
        self.changes_since(&Known { revision: since, ..Known::default() }).await
    }

    /// The same after what is known, of which it is found out whether the database still holds it.
    ///
    /// # Errors
    ///
    /// When the database cannot be read, or holds what is no record.
    pub async fn changes_since(&self, known: &Known) -> sqlx::Result<Changes> {
        let read = async {
            let mut transaction = self.pool.begin_with(self.database.begin_read()).await?;
            let changes = Changes::read(&mut transaction, known).await?;
            transaction.rollback().await?;
            Ok(changes)
        };
        timeout(PATIENCE, read).await.map_err(|_| sqlx::Error::PoolTimedOut)?
    }

    /// Makes a new epoch of a database that was put back, and a revision above the one that
    /// somebody has seen: tokens, feeds and bundles from before are refused from then on. Does
    /// nothing when its epoch is not `left` any more, because somebody else was quicker.
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

    /// A connection for reading. Requests for decisions use none.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached.
    pub async fn read(&self) -> sqlx::Result<Read> {
        let acquire = self.pool.acquire();
        timeout(PATIENCE, acquire).await.map_err(|_| sqlx::Error::PoolTimedOut)?.map(Read)
    }

    /// Tells when another process may have changed something.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached.
    pub async fn news(&self) -> sqlx::Result<Box<dyn News>> {
        timeout(PATIENCE, self.database.news()).await.map_err(|_| sqlx::Error::PoolTimedOut)?
    }
}

/// A connection for reading what management shows.
#[derive(Debug)]
pub struct Read(sqlx::pool::PoolConnection<sqlx::Any>);

impl Read {
    /// The registry.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn registry(&mut self) -> sqlx::Result<RegistryRecord> {
        RegistryRecord::read(&mut self.0).await
    }

    /// A scope map by its name, in any case.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn scope_map(&mut self, name: &str) -> sqlx::Result<Option<ScopeMapRecord>> {
        ScopeMapRecord::find(&mut self.0, name).await
    }

    /// A token by its name, in any case.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn token(&mut self, name: &str) -> sqlx::Result<Option<TokenRecord>> {
        TokenRecord::find(&mut self.0, name).await
    }

    /// A service principal by its client id, in any case.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn service_principal(
        &mut self,
        client_id: &str,
    ) -> sqlx::Result<Option<ServicePrincipalRecord>> {
        ServicePrincipalRecord::find(&mut self.0, client_id).await
    }

    /// Scope maps in the order of their keys.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn scope_maps(&mut self, page: &Page) -> sqlx::Result<Vec<ScopeMapRecord>> {
        ScopeMapRecord::page(&mut self.0, page).await
    }

    /// Tokens in the order of their keys.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn tokens(&mut self, page: &Page) -> sqlx::Result<Vec<TokenRecord>> {
        TokenRecord::page(&mut self.0, page).await
    }

    /// Service principals in the order of their keys.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn service_principals(
        &mut self,
        page: &Page,
    ) -> sqlx::Result<Vec<ServicePrincipalRecord>> {
        ServicePrincipalRecord::page(&mut self.0, page).await
    }
}

/// The data folder, which is its owner's alone: what must outlive the process lies there, whatever
/// the database.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

async fn connect(database: &dyn Database) -> sqlx::Result<AnyPool> {
    let prepare = database.prepare();
    AnyPoolOptions::new()
        .max_connections(8)
        .acquire_timeout(PATIENCE / 2)
        .after_connect(move |connection: &mut AnyConnection, _| {
            Box::pin(async move { connection.execute(prepare).await.map(drop) })
        })
        // A commit that fails, because the disk is full for example, leaves a connection that goes
        // neither on nor back: another one can.
        .before_acquire(|connection, _| {
            Box::pin(async move { Ok(!connection.is_in_transaction()) })
        })
        .connect_with(database.options()?)
        .await
}

/// Brings the schema up to date. One that has more steps than this program knows is left alone: a
/// newer program has written it.
async fn migrate(database: &dyn Database, pool: &AnyPool) -> anyhow::Result<()> {
    match database.migrations().run(pool).await {
        Err(MigrateError::VersionMissing(step)) => bail!(
            "{} is of a newer version of this program, which added step {step} to its schema; use that version or a later one",
            database.describe()
        ),
        migrated => migrated.context("cannot bring the database up to date"),
    }
}
