//! PostgreSQL, for more than one process.
//!
//! Each write ends with `NOTIFY`, and every process listens. A notification that comes while a
//! connection is down is lost, so a process reads all changes after connecting again.

use std::fs::File;

use anyhow::Context as _;
use async_trait::async_trait;
use sqlx::any::AnyConnectOptions;
use sqlx::postgres::PgListener;
use sqlx::{AnyConnection, AssertSqlSafe, ConnectOptions as _, Executor as _};
use url::Url;

use super::{ChangeListener, Database};

/// A PostgreSQL database.
pub(super) struct Postgres {
    url: Url,
    /// The channel of the notifications.
    channel: &'static str,
    secret_tables: &'static [&'static str],
}

impl Postgres {
    /// The database with an address like `postgres://user:password@host/name`.
    pub(super) fn new(
        url: &str,
        channel: &'static str,
        secret_tables: &'static [&'static str],
    ) -> anyhow::Result<Self> {
        let url = Url::parse(url).context("the address of the database is not a URL")?;
        anyhow::ensure!(
            matches!(url.scheme(), "postgres" | "postgresql"),
            "the address of the database must begin with `postgres://`; without one, SQLite is used"
        );
        Ok(Self { url, channel, secret_tables })
    }
}

/// Leaves the password out.
impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Postgres").field(&self.describe()).finish()
    }
}

#[async_trait]
impl Database for Postgres {
    fn describe(&self) -> String {
        let host = self.url.host_str().unwrap_or("its socket");
        format!("the database `{}` at {host}", self.url.path().trim_start_matches('/'))
    }

    fn options(&self) -> sqlx::Result<AnyConnectOptions> {
        Ok(AnyConnectOptions::from_url(&self.url)?.disable_statement_logging())
    }

    fn connection_pragmas(&self) -> &'static str {
        "set statement_timeout = '5s'; set lock_timeout = '5s'; set synchronous_commit = on"
    }

    /// Migrations take a lock in the database itself.
    async fn lock(&self) -> std::io::Result<Option<File>> {
        Ok(None)
    }

    /// The first statement of a write has to lock a row that every write locks, so that writes
    /// wait for each other there.
    fn begin_write(&self) -> &'static str {
        "begin"
    }

    fn begin_read(&self) -> &'static str {
        "begin isolation level repeatable read read only"
    }

    /// Rewrites the tables. Old versions of rows stay in PostgreSQL's log of writes and in backups.
    async fn scrub(&self, connection: &mut AnyConnection, is_needed: bool) -> sqlx::Result<()> {
        for table in self.secret_tables.iter().filter(|_| is_needed) {
            // The name is the program's own word.
            connection.execute(AssertSqlSafe(format!("vacuum full {table}"))).await?;
        }
        Ok(())
    }

    async fn notify(&self, connection: &mut AnyConnection) -> sqlx::Result<()> {
        // The channel is the program's own word.
        let notify = format!("notify {}", self.channel);
        connection.execute(AssertSqlSafe(notify)).await.map(drop)
    }

    async fn change_listener(&self) -> sqlx::Result<Box<dyn ChangeListener>> {
        let mut listener = PgListener::connect(self.url.as_str()).await?;
        // A lost connection is an error here, because its notifications are lost with it.
        listener.eager_reconnect(false);
        listener.listen(self.channel).await?;
        Ok(Box::new(Listener(listener)))
    }
}

struct Listener(PgListener);

#[async_trait]
impl ChangeListener for Listener {
    async fn wait(&mut self) -> sqlx::Result<()> {
        self.0.try_recv().await?.map(drop).ok_or(sqlx::Error::PoolClosed)
    }
}
