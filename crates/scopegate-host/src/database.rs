//! Opening a database: SQLite or PostgreSQL.
//!
//! SQLite is a file in the data folder of the program, and the default; PostgreSQL serves several
//! processes on several machines. What differs between them is behind [`Database`].
//!
//! The folder and the file are for their owner alone. Every commit is on the disk before it is
//! acknowledged, and a statement that waits for a lock gives up after five seconds.
//!
//! Left out: what is in a database, and how long its operations may take.

mod postgres;
mod sqlite;

use std::fmt::Debug;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use async_trait::async_trait;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AnyConnection, AnyPool, Connection as _, Executor as _};

use self::postgres::Postgres;
use self::sqlite::Sqlite;

/// How long getting a connection may take.
const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(2500);
/// The maximum number of connections.
const MAX_CONNECTIONS: u32 = 8;

/// What a program keeps in its database.
#[derive(Debug)]
pub struct Schema {
    /// The name of the file in the data folder, for SQLite.
    pub file: &'static str,
    /// The channel of notifications, for PostgreSQL: a word in lower case.
    pub channel: &'static str,
    /// The tables with secrets, of which nothing that was replaced may stay on the disk.
    pub secret_tables: &'static [&'static str],
    /// The migrations of SQLite.
    pub sqlite: Migrator,
    /// The migrations of PostgreSQL.
    pub postgres: Migrator,
}

/// A kind of database.
#[async_trait]
pub trait Database: Debug + Send + Sync {
    /// Its description for people, without secrets.
    fn describe(&self) -> String;

    /// How to connect to it.
    ///
    /// # Errors
    ///
    /// When the address is invalid.
    fn options(&self) -> sqlx::Result<AnyConnectOptions>;

    /// The statements that set up each connection.
    fn connection_pragmas(&self) -> &'static str;

    /// Waits until no other process migrates the schema. The lock is held until the file is
    /// dropped.
    ///
    /// # Errors
    ///
    /// When the lock cannot be had.
    async fn lock(&self) -> io::Result<Option<File>>;

    /// Begins a transaction that excludes all other writes.
    fn begin_write(&self) -> &'static str;

    /// Begins a transaction that reads one consistent state.
    fn begin_read(&self) -> &'static str;

    /// Removes from the database's files what was replaced or deleted in the tables with secrets.
    /// `is_needed` tells that something was; a database may also know by itself that it has not
    /// done so yet.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    async fn scrub(&self, connection: &mut AnyConnection, is_needed: bool) -> sqlx::Result<()>;

    /// Notifies other processes of the change when the transaction is committed.
    ///
    /// # Errors
    ///
    /// When the connection is lost.
    async fn notify(&self, connection: &mut AnyConnection) -> sqlx::Result<()>;

    /// Notifies when another process may have written.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached.
    async fn change_listener(&self) -> sqlx::Result<Box<dyn ChangeListener>>;
}

/// Notifies when another process may have written.
#[async_trait]
pub trait ChangeListener: Send {
    /// Resolves when something may have changed since the last call.
    ///
    /// # Errors
    ///
    /// When the connection is lost. Notifications are lost with it; read the changes after
    /// connecting again.
    async fn wait(&mut self) -> sqlx::Result<()>;
}

/// Opens a PostgreSQL by its address, or else the SQLite file of a data folder, which is made when
/// it is missing, and brings the schema up to date.
///
/// # Errors
///
/// When the database cannot be reached or written, or is of a newer version.
pub async fn open(
    folder: &Path,
    url: Option<&str>,
    schema: Schema,
) -> anyhow::Result<(AnyPool, Arc<dyn Database>)> {
    make_folder(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    sqlx::any::install_default_drivers();
    let (database, migrations): (Arc<dyn Database>, _) = match url {
        Some(url) => {
            (Arc::new(Postgres::new(url, schema.channel, schema.secret_tables)?), schema.postgres)
        }
        None => {
            let file = Sqlite::new(folder.join(schema.file));
            let file = file.with_context(|| format!("cannot open {}", folder.display()))?;
            (Arc::new(file), schema.sqlite)
        }
    };
    let about = || format!("cannot open {}", database.describe());
    // Held until the schema is up to date: several processes may start on an empty database.
    let lock = database.lock().await.with_context(about)?;
    let pool = connect(database.as_ref(), MAX_CONNECTIONS).await.with_context(about)?;
    migrate(database.as_ref(), &migrations, &pool).await?;
    drop(lock);
    Ok((pool, database))
}

/// Creates the data folder, readable by its owner alone. It holds what must outlive the process,
/// with either database.
///
/// # Errors
///
/// When it cannot be made: `/proc/nowhere`.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// One more connection to a database that is open, for writes that wait for each other: SQLite has
/// one writer at a time, and connections that find it busy sleep for longer and longer.
///
/// # Errors
///
/// When the database cannot be reached.
pub async fn single(database: &dyn Database) -> sqlx::Result<AnyPool> {
    connect(database, 1).await
}

async fn connect(database: &dyn Database, connections: u32) -> sqlx::Result<AnyPool> {
    let pragmas = database.connection_pragmas();
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .after_connect(move |connection: &mut AnyConnection, _| {
            Box::pin(async move { connection.execute(pragmas).await.map(drop) })
        })
        // A failed commit, for example on a full disk, leaves a connection that can neither commit
        // nor roll back; a new connection can.
        .before_acquire(|connection, _| {
            Box::pin(async move { Ok(!connection.is_in_transaction()) })
        })
        .connect_with(database.options()?)
        .await
}

/// Brings the schema up to date. A schema with unknown migrations is refused: a newer program has
/// written it.
async fn migrate(
    database: &dyn Database,
    migrations: &Migrator,
    pool: &AnyPool,
) -> anyhow::Result<()> {
    match migrations.run(pool).await {
        Err(MigrateError::VersionMissing(step)) => bail!(
            "{} is of a newer version of this program, which added step {step} to its schema; use that version or a later one",
            database.describe()
        ),
        migrated => migrated.context("cannot bring the database up to date"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use tokio::time::timeout;

    use super::*;

    /// A schema with this many steps.
    async fn schema(steps: u8) -> Schema {
        let folder = tempfile::tempdir().unwrap();
        for step in 1..=steps {
            let path = folder.path().join(format!("{step}_step.sql"));
            fs::write(path, format!("create table t{step} (n bigint not null);")).unwrap();
        }
        let sqlite = Migrator::new(folder.path()).await.unwrap();
        Schema {
            file: "index.db",
            channel: "index",
            secret_tables: &[],
            postgres: Migrator::DEFAULT,
            sqlite,
        }
    }

    #[tokio::test]
    async fn the_folder_and_its_files_are_for_their_owner_alone() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("a/b");
        let (pool, database) = open(&folder, None, schema(1).await).await.unwrap();
        sqlx::query("insert into t1 values (1)").execute(&pool).await.unwrap();
        assert_eq!(database.describe(), folder.join("index.db").display().to_string());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&folder), 0o700);
        let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap()).collect();
        assert_eq!(names.len(), 4, "{names:?}");
        for entry in names {
            assert_eq!(mode(&entry.path()), 0o600, "{entry:?}");
        }
        // A file that another program made is closed too.
        pool.close().await;
        fs::set_permissions(folder.join("index.db"), Permissions::from_mode(0o644)).unwrap();
        drop(open(&folder, None, schema(1).await).await.unwrap());
        assert_eq!(mode(&folder.join("index.db")), 0o600);
    }

    #[tokio::test]
    async fn connections_are_set_up() {
        let folder = tempfile::tempdir().unwrap();
        let (pool, _) = open(folder.path(), None, schema(1).await).await.unwrap();
        for (pragma, expected) in [
            ("select count(*) from pragma_journal_mode where journal_mode = 'wal'", 1_i64),
            ("pragma synchronous", 2),
            ("pragma busy_timeout", 5000),
            ("pragma foreign_keys", 1),
        ] {
            let value: i64 = sqlx::query_scalar(pragma).fetch_one(&pool).await.unwrap();
            assert_eq!(value, expected, "{pragma}");
        }
    }

    #[tokio::test]
    async fn a_newer_database_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for (steps, refused) in [(1, false), (2, false), (1, true), (2, false)] {
            let opened = open(folder.path(), None, schema(steps).await).await;
            let error = opened.err().map(|error| error.to_string()).unwrap_or_default();
            assert_eq!(error.contains("added step 2 to its schema"), refused, "{steps}: {error}");
        }
    }

    #[tokio::test]
    async fn a_commit_of_another_process_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let (pool, database) = open(folder.path(), None, schema(1).await).await.unwrap();
        let mut listener = database.change_listener().await.unwrap();
        assert!(timeout(Duration::from_millis(500), listener.wait()).await.is_err());
        let mut transaction = pool.begin_with(database.begin_write()).await.unwrap();
        sqlx::query("insert into t1 values (1)").execute(&mut *transaction).await.unwrap();
        database.notify(&mut transaction).await.unwrap();
        transaction.commit().await.unwrap();
        timeout(Duration::from_secs(5), listener.wait()).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn addresses_of_postgresql() {
        let folder = tempfile::tempdir().unwrap();
        for (url, expected) in [
            ("postgres://me:hunter2@127.0.0.1:1/name", "cannot open the database `name` at 127"),
            ("mysql://me:hunter2@127.0.0.1:1/name", "must begin with `postgres://`"),
            ("me:hunter2", "must begin with `postgres://`"),
            ("/hunter2", "is not a URL"),
        ] {
            let error = open(folder.path(), Some(url), schema(1).await).await.unwrap_err();
            let error = format!("{error:#} {error:?}");
            assert!(error.contains(expected) && !error.contains("hunter2"), "{url}: {error}");
        }
        let database = Postgres::new("postgres://me:hunter2@host/name", "index", &[]).unwrap();
        assert_eq!(format!("{database:?}"), r#"Postgres("the database `name` at host")"#);
    }
}
