//! What the server knows, in SQLite.
//!
//! Write-ahead logging, and every commit on the disk before it is acknowledged. Several processes may have the file open: `apply` writes
//! while a server runs, and [`watch`](crate::watch) notices.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use crate::password::PasswordDigest;
use crate::policy::{Password, Records, TokenRecord};

/// The database.
#[derive(Clone, Debug)]
pub struct Store {
    pool: SqlitePool,
    options: SqliteConnectOptions,
}

impl Store {
    /// Opens the database of a data folder, which is made when it is missing, and brings its schema up to date.
    ///
    /// # Errors
    ///
    /// When the folder or the file cannot be made, read or written, or the file is no database.
    pub async fn open(folder: &Path) -> anyhow::Result<Self> {
        make_folder(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let path = folder.join("scopegate.db");
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options.clone())
            .await
            .with_context(|| format!("cannot open {}", path.display()))?;
        sqlx::migrate!().run(&pool).await.context("cannot bring the database up to date")?;
        let store = Self { pool, options };
        store.ensure_registry().await?;
        Ok(store)
    }

    /// The pool, for whoever writes in a transaction.
    #[must_use]
    pub fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// Gives the registry its id at the first start.
    async fn ensure_registry(&self) -> sqlx::Result<()> {
        let rid = uuid::Uuid::new_v4().simple().to_string();
        sqlx::query("insert into registry (id, rid) values (1, ?) on conflict do nothing")
            .bind(rid)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// Reads everything, as it was at one moment.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn records(&self) -> anyhow::Result<Records> {
        let mut transaction = self.pool.begin().await?;
        let records = read(&mut transaction).await?;
        transaction.rollback().await?;
        Ok(records)
    }

    /// A connection of its own, which sees when another one has changed the database.
    ///
    /// # Errors
    ///
    /// When the database cannot be opened.
    pub async fn observer(&self) -> sqlx::Result<Observer> {
        self.options.connect().await.map(Observer)
    }
}

/// Sees when another connection has changed the database.
#[derive(Debug)]
pub struct Observer(SqliteConnection);

impl Observer {
    /// A number that differs from the last one when another connection has committed a change in between.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn version(&mut self) -> sqlx::Result<i64> {
        sqlx::query_scalar("pragma data_version").fetch_one(&mut self.0).await
    }

    /// Closes the connection.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn close(self) -> sqlx::Result<()> {
        self.0.close().await
    }
}

fn make_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

async fn read(connection: &mut SqliteConnection) -> anyhow::Result<Records> {
    let rid = sqlx::query_scalar("select rid from registry").fetch_one(&mut *connection).await?;
    let mut scope_maps: Vec<(String, Vec<String>)> = Vec::new();
    let rows = sqlx::query(
        "select m.name, r.action from scope_maps m left join rules r on r.scope_map = m.name
         order by m.name, r.position",
    );
    for row in rows.fetch_all(&mut *connection).await? {
        let (name, action): (String, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
        if scope_maps.last().is_none_or(|(last, _)| *last != name) {
            scope_maps.push((name, Vec::new()));
        }
        if let Some((_, actions)) = scope_maps.last_mut() {
            actions.extend(action);
        }
    }
    let mut tokens: Vec<TokenRecord> = Vec::new();
    let rows = sqlx::query(
        "select t.name, t.scope_map, t.enabled, p.digest, p.expires_at
         from tokens t left join passwords p on p.token = t.name order by t.name, p.name",
    );
    for row in rows.fetch_all(&mut *connection).await? {
        let name: String = row.try_get(0)?;
        if tokens.last().is_none_or(|last| last.name != name) {
            let (scope_map, enabled) = (row.try_get(1)?, row.try_get(2)?);
            tokens.push(TokenRecord { name, scope_map, enabled, passwords: Vec::new() });
        }
        let digest: Option<Vec<u8>> = row.try_get(3)?;
        if let (Some(token), Some(digest)) = (tokens.last_mut(), digest) {
            let digest =
                PasswordDigest::from_bytes(&digest).context("a digest of another length")?;
            token.passwords.push(Password { digest, expires_at: row.try_get(4)? });
        }
    }
    Ok(Records { rid, scope_maps, tokens })
}
