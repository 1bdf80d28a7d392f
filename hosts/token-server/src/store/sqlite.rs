//! SQLite: one file in the data folder, written ahead, every commit on the disk before it is
//! acknowledged.
//!
//! Several processes may have the file open: commands write while a server runs. SQLite tells a
//! connection whether another one has committed, for the price of reading one page that is in
//! memory; five times a second that is nothing.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::any::AnyConnectOptions;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AnyConnection, ConnectOptions as _};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::database::{Database, News};

/// How often a connection looks whether another one has committed.
const EVERY: Duration = Duration::from_millis(200);

/// A SQLite file.
#[derive(Debug)]
pub(super) struct Sqlite {
    path: PathBuf,
}

impl Sqlite {
    /// The file of a data folder. Private keys are in it, so it is its owner's alone, whatever the
    /// folder is.
    pub(super) fn new(folder: &Path) -> std::io::Result<Self> {
        let path = folder.join("scopegate.db");
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

    fn prepare(&self) -> &'static str {
        "pragma busy_timeout = 5000; pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on"
    }

    /// A file beside the database: SQLite has no lock that spans several transactions, and makes
    /// nobody wait for the change to a log.
    async fn turn(&self) -> io::Result<Option<File>> {
        let path = self.path.with_extension("lock");
        let lock = move || {
            let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
            file.lock().map(|()| Some(file))
        };
        spawn_blocking(lock).await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }

    fn migrations(&self) -> Migrator {
        sqlx::migrate!("migrations/sqlite")
    }

    /// Takes the lock at once, so that two who write wait for each other instead of failing.
    fn begin_write(&self) -> &'static str {
        "begin immediate"
    }

    fn begin_read(&self) -> &'static str {
        "begin"
    }

    /// The file itself tells.
    async fn announce(&self, _: &mut AnyConnection) -> sqlx::Result<()> {
        Ok(())
    }

    async fn news(&self) -> sqlx::Result<Box<dyn News>> {
        let mut connection = self.file().connect().await?;
        let seen = data_version(&mut connection).await?;
        Ok(Box::new(Observer { connection, seen }))
    }
}

/// Sees when another connection has committed.
struct Observer {
    connection: SqliteConnection,
    seen: i64,
}

#[async_trait]
impl News for Observer {
    async fn wait(&mut self) -> sqlx::Result<()> {
        loop {
            let version = data_version(&mut self.connection).await?;
            if version != self.seen {
                self.seen = version;
                return Ok(());
            }
            sleep(EVERY).await;
        }
    }
}

/// A number that differs from the last one when another connection has committed in between.
async fn data_version(connection: &mut SqliteConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar("pragma data_version").fetch_one(connection).await
}
