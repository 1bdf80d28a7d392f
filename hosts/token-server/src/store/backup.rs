//! A backup: one SQLite file with every row of the database, of either kind.
//!
//! It is read in one consistent transaction while servers run, and has the schema of this version.
//! A restore brings the schema of an older backup up to date first, in a copy, and replaces the
//! rows in one write. Private keys are in it as the database has them.
//!
//! Left out: the keys that are outside the database, and what a restore may revive, which is
//! [`restore`](crate::domain::restore)'s.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use sqlx::any::AnyRow;
use sqlx::migrate::MigrateError;
use sqlx::{AnyConnection, AssertSqlSafe, Column as _, Connection as _, Executor as _, Row as _};
use uuid::Uuid;

use super::Store;
use super::write::Write;
use crate::clock;
use crate::model::audit::Head;

/// Every table, those that others refer to first. The columns of each begin with its key, of at
/// most two.
pub(super) const TABLES: [&str; 14] = [
    "registry",
    "scope_maps",
    "tokens",
    "service_principals",
    "departures",
    "signing_keys",
    "signing_authority",
    "identity_providers",
    "revoked_identities",
    "revoked_tokens",
    "writes",
    "known_networks",
    "audit_checkpoint",
    "audit",
];
/// The table of the last row of the trail, which always has one row.
const HEAD: &str = "audit_head";
/// How many rows are read at once.
const PAGE: i64 = 2000;

/// What a backup is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Seconds since 1970.
    pub made_at: i64,
    pub revision: i64,
    /// The last row of its audit trail.
    pub head: Head,
}

impl Store {
    /// Writes a backup into a new file, which only its owner may read.
    ///
    /// # Errors
    ///
    /// When the file exists already, or cannot be written whole: then there is none.
    pub async fn back_up(&self, path: &Path) -> anyhow::Result<About> {
        ensure!(!path.exists(), "{} exists already", path.display());
        let partial = path.with_added_extension("partial");
        let written = self.write_backup(&partial).await;
        if written.is_err() {
            // What is there is half a backup.
            let _ = fs::remove_file(&partial);
        }
        let about = written.with_context(|| format!("cannot write {}", path.display()))?;
        fs::rename(&partial, path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(about)
    }

    /// How many tables a backup has: every table of the database.
    #[must_use]
    pub fn tables_of_a_backup() -> i64 {
        i64::try_from(TABLES.len() + 1).unwrap_or(i64::MAX)
    }

    async fn write_backup(&self, path: &Path) -> anyhow::Result<About> {
        make_file(path)?;
        let mut file = open(path).await?;
        let mut read = self.pool.begin_with(self.database.begin_read()).await?;
        let mut write = file.begin().await?;
        for table in TABLES.into_iter().chain([HEAD]) {
            delete(&mut write, table).await?;
            copy(&mut read, &mut write, table).await?;
        }
        let made_at = clock::now();
        write.execute("create table backup (made_at bigint not null)").await?;
        let about = sqlx::query("insert into backup (made_at) values ($1)");
        about.bind(made_at).execute(&mut *write).await?;
        write.commit().await?;
        read.rollback().await?;
        let about = about_of(&mut file).await?;
        file.close().await?;
        File::open(path)?.sync_all()?;
        Ok(about)
    }
}

/// A backup that is open for a restore: a copy, with the schema of this version.
#[derive(Debug)]
pub(crate) struct Backup {
    connection: AnyConnection,
    pub about: About,
    _copy: WorkingCopy,
}

impl Backup {
    /// Opens a backup, by a copy in the data folder.
    ///
    /// # Errors
    ///
    /// When the file is no backup, or of a newer version.
    pub(crate) async fn open(path: &Path, folder: &Path) -> anyhow::Result<Self> {
        let about = || format!("cannot read the backup {}", path.display());
        let copy = WorkingCopy(folder.join(format!(".restore-{}", Uuid::new_v4().simple())));
        make_file(&copy.0)?;
        fs::copy(path, &copy.0).with_context(about)?;
        let mut connection = open(&copy.0).await.with_context(about)?;
        let about = about_of(&mut connection).await.with_context(about)?;
        Ok(Self { connection, about, _copy: copy })
    }
}

/// A file that is deleted when this is dropped.
#[derive(Debug)]
struct WorkingCopy(PathBuf);

impl Drop for WorkingCopy {
    fn drop(&mut self) {
        // It may not have been made.
        let _ = fs::remove_file(&self.0);
    }
}

impl Write {
    /// Replaces every row by those of a backup; those of the trail only where it is to be replaced.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub(crate) async fn replace_all(
        &mut self,
        backup: &mut Backup,
        replaces_trail: bool,
    ) -> sqlx::Result<()> {
        let is_of_trail = |table: &&str| table.starts_with("audit");
        let tables = TABLES.iter().filter(|table| replaces_trail || !is_of_trail(table));
        for table in tables.clone().rev() {
            delete(self.connection(), table).await?;
        }
        for table in tables {
            copy(&mut backup.connection, self.connection(), table).await?;
        }
        if replaces_trail {
            let head = &backup.about.head;
            sqlx::query("update audit_head set number = $1, seal = $2")
                .bind(head.number)
                .bind(head.seal.as_str())
                .execute(self.connection())
                .await?;
        }
        Ok(())
    }
}

/// Makes an empty file that only its owner may read.
fn make_file(path: &Path) -> std::io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map(drop)
}

/// Opens a file with the schema of this version.
async fn open(path: &Path) -> anyhow::Result<AnyConnection> {
    let url = format!("sqlite://{}?mode=rw", url_path(path));
    let mut connection = AnyConnection::connect(&url).await?;
    connection.execute("pragma foreign_keys = on; pragma journal_mode = delete").await?;
    match sqlx::migrate!("migrations/sqlite").run(&mut connection).await {
        Err(MigrateError::VersionMissing(_)) => {
            anyhow::bail!("it is of a newer version of this program")
        }
        migrated => migrated?,
    }
    Ok(connection)
}

/// A path in an address: what would end it is encoded.
fn url_path(path: &Path) -> String {
    path.display().to_string().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

async fn about_of(file: &mut AnyConnection) -> anyhow::Result<About> {
    let row = sqlx::query(
        "select made_at, registry.revision, audit_head.number, audit_head.seal from backup, registry, audit_head",
    );
    let row = row.fetch_one(file).await.context("it is no backup of this program")?;
    let head = Head { number: row.try_get(2)?, seal: row.try_get(3)? };
    Ok(About { made_at: row.try_get(0)?, revision: row.try_get(1)?, head })
}

async fn delete(db: &mut AnyConnection, table: &str) -> sqlx::Result<()> {
    db.execute(AssertSqlSafe(format!("delete from {table}"))).await.map(drop)
}

/// Copies every row of a table. Names of tables are constants.
async fn copy(from: &mut AnyConnection, to: &mut AnyConnection, table: &str) -> sqlx::Result<()> {
    let page = format!("select * from {table} order by 1, 2 limit $1 offset $2");
    let mut offset = 0;
    loop {
        let page = sqlx::query(AssertSqlSafe(page.clone())).bind(PAGE).bind(offset);
        let rows = page.fetch_all(&mut *from).await?;
        for row in &rows {
            insert(to, table, row).await?;
        }
        if i64::try_from(rows.len()).is_ok_and(|len| len < PAGE) {
            return Ok(());
        }
        offset += PAGE;
    }
}

/// A value of the two types that the tables have.
enum Value {
    Number(i64),
    Text(String),
}

/// Inserts a row as it is. An absent value is left out, because a parameter without a value has a
/// type, and PostgreSQL compares it with the column's.
async fn insert(db: &mut AnyConnection, table: &str, row: &AnyRow) -> sqlx::Result<()> {
    let (mut columns, mut values) = (Vec::new(), Vec::new());
    for column in row.columns() {
        let Some(value) = value(row, column.ordinal())? else { continue };
        columns.push(column.name());
        values.push(value);
    }
    let parameters: Vec<String> = (1..=values.len()).map(|number| format!("${number}")).collect();
    let text =
        format!("insert into {table} ({}) values ({})", columns.join(", "), parameters.join(", "));
    let query =
        values.into_iter().fold(sqlx::query(AssertSqlSafe(text)), |query, value| match value {
            Value::Number(number) => query.bind(number),
            Value::Text(text) => query.bind(text),
        });
    query.execute(db).await.map(drop)
}

fn value(row: &AnyRow, column: usize) -> sqlx::Result<Option<Value>> {
    if let Ok(number) = row.try_get::<Option<i64>, _>(column) {
        return Ok(number.map(Value::Number));
    }
    Ok(row.try_get::<Option<String>, _>(column)?.map(Value::Text))
}
