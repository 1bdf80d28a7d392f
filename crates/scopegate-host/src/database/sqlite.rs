//! SQLite: one file in the data folder, written ahead, every commit on the disk before it is
//! acknowledged.
//!
//! Several processes may have the file open: commands write while a server runs. A connection sees
//! by `data_version` whether another one has committed. That reads one page in memory, and five
//! reads a second are negligible.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::any::AnyConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AnyConnection, ConnectOptions as _, Executor as _};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::{ChangeListener, Database};

/// How often a connection checks whether another one has committed.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// The `user_version` of a file that was scrubbed.
const SCRUBBED: i64 = 1;

/// A SQLite file.
#[derive(Debug)]
pub(super) struct Sqlite {
    path: PathBuf,
}

impl Sqlite {
    /// The file. It may hold private keys, so only its owner may read it, whatever the folder's
    /// mode.
    pub(super) fn new(path: PathBuf) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.append(true).create(true).mode(0o600).open(&path)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        Ok(Self { path })
    }

    fn file(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(&self.path)
            .create_if_missing(true)
            .disable_statement_logging()
    }
}

#[async_trait]
impl Database for Sqlite {
    fn describe(&self) -> String {
        self.path.display().to_string()
    }

    fn options(&self) -> sqlx::Result<AnyConnectOptions> {
        let options = AnyConnectOptions::from_url(&self.file().to_url_lossy())?;
        Ok(options.disable_statement_logging())
    }

    fn connection_pragmas(&self) -> &'static str {
        "pragma busy_timeout = 5000; pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; pragma secure_delete = on"
    }

    /// A lock file beside the database: SQLite has no lock that spans several transactions, and
    /// does not wait during the switch to write-ahead logging.
    async fn lock(&self) -> io::Result<Option<File>> {
        let path = self.path.with_extension("lock");
        let take = move || {
            let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
            file.lock().map(|()| Some(file))
        };
        spawn_blocking(take).await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }

    /// Takes the write lock at once, so that concurrent writers wait instead of failing.
    fn begin_write(&self) -> &'static str {
        "begin immediate"
    }

    fn begin_read(&self) -> &'static str {
        "begin"
    }

    /// Rewrites the file and empties the log of writes. The file itself remembers that this was
    /// done: a start that ended in between is made up for by the next one.
    async fn scrub(&self, connection: &mut AnyConnection, is_needed: bool) -> sqlx::Result<()> {
        let version: i64 =
            sqlx::query_scalar("pragma user_version").fetch_one(&mut *connection).await?;
        if version == SCRUBBED && !is_needed {
            return Ok(());
        }
        connection.execute("pragma user_version = 0").await?;
        connection.execute("vacuum").await?;
        let busy: i64 = sqlx::query_scalar("pragma wal_checkpoint(truncate)")
            .fetch_one(&mut *connection)
            .await?;
        if busy != 0 {
            return Err(sqlx::Error::Protocol("another process reads the database".into()));
        }
        connection.execute("pragma user_version = 1").await.map(drop)
    }

    /// Other connections see the commit by `data_version`.
    async fn notify(&self, _: &mut AnyConnection) -> sqlx::Result<()> {
        Ok(())
    }

    async fn change_listener(&self) -> sqlx::Result<Box<dyn ChangeListener>> {
        let mut connection = self.file().connect().await?;
        let seen = data_version(&mut connection).await?;
        Ok(Box::new(Observer { connection, seen }))
    }
}

/// Polls whether another connection has committed.
struct Observer {
    connection: SqliteConnection,
    seen: i64,
}

#[async_trait]
impl ChangeListener for Observer {
    async fn wait(&mut self) -> sqlx::Result<()> {
        loop {
            let version = data_version(&mut self.connection).await?;
            if version != self.seen {
                self.seen = version;
                return Ok(());
            }
            sleep(POLL_INTERVAL).await;
        }
    }
}

/// A number that differs from the last one when another connection has committed in between.
async fn data_version(connection: &mut SqliteConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar("pragma data_version").fetch_one(connection).await
}
