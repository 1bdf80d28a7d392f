//! What the gateway knows of the artifacts in the registry behind it: which there are, since when,
//! what is true of them for ever, and what may be done with them.
//!
//! A registry has no answer to most of that, so it is kept here: in SQLite, or in PostgreSQL where
//! several gateways share one. The registry stays the authority for what exists; the index is the
//! authority for times and for [`attributes`].
//!
//! Left out: asking the registry, which is the [`data_plane`](crate::data_plane)'s.

pub(crate) mod attributes;
mod charts;
mod deletions;
pub(crate) mod folder;
mod locks;
mod pending;
pub(crate) mod rows;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use scopegate_host::database::{self, Database, Schema};
use sqlx::{Any, AnyPool, Transaction};
use tokio::time::timeout;

pub(crate) use self::attributes::{Attributes, Kind, Restrictions};
pub(crate) use self::charts::Kept;
pub(crate) use self::locks::Held;
use self::locks::Session;
pub(crate) use self::pending::Pending;
use self::pending::{Files, PendingWrites};
pub(crate) use self::rows::{Facts, Position, Reference, Row, Seen};

/// How long an operation may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The index.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    pool: AnyPool,
    /// Those that write: one connection to SQLite.
    writes: AnyPool,
    /// What holds locks of repositories, where several gateways share the index.
    locks: Option<Session>,
    pending: Arc<PendingWrites>,
    database: Arc<dyn Database>,
}

impl Index {
    /// Opens a PostgreSQL by its address, or else the SQLite file of a data folder, which is made
    /// when it is missing.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached or written, or is of a newer version.
    pub(crate) async fn open(folder: &Path, url: Option<&str>) -> anyhow::Result<Self> {
        let (pool, database) = database::open(folder, url, schema()).await?;
        let locks = url.map(|_| Session::new(Arc::clone(&database)));
        let (writes, pending) = match url {
            Some(_) => (pool.clone(), PendingWrites::Rows),
            None => {
                let writes = database::single(database.as_ref()).await?;
                (writes, PendingWrites::Files(Files::open(folder)?))
            }
        };
        Ok(Self { pool, writes, locks, pending: Arc::new(pending), database })
    }

    /// Begins a write. Dropping it rolls it back.
    async fn write(&self) -> sqlx::Result<Transaction<'static, Any>> {
        bounded(self.writes.begin_with(self.database.begin_write())).await
    }
}

fn schema() -> Schema {
    Schema {
        file: "index.db",
        channel: "scopegate_index",
        secret_tables: &[],
        sqlite: sqlx::migrate!("migrations/sqlite"),
        postgres: sqlx::migrate!("migrations/postgres"),
    }
}

/// An operation that ends in time.
async fn bounded<T>(operation: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    timeout(TIMEOUT, operation).await.map_err(|_| sqlx::Error::PoolTimedOut)?
}
