//! A backup: one SQLite file with every row of the database, of either kind.
//!
//! It is read in one consistent transaction while servers run, and has the schema of this version.
//! A restore brings the schema of an older backup up to date first, in a copy, and replaces the
//! rows in one write. Private keys are in it as the database has them.
//!
//! The author of a file decides what is restored from it, and no more: a file whose schema is not
//! the one that this program makes is refused before anything of it is run, and names of columns
//! are taken from that schema.
//!
//! Left out: the keys that are outside the database, and what a restore may revive, which is
//! [`restore`](crate::domain::restore)'s.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use sqlx::any::AnyRow;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _, Row as _};
use uuid::Uuid;

use super::Store;
use super::records::{Changes, Known};
use super::temporary::Temporary;
use super::write::Write;
use crate::clock;
use crate::model::audit::Head;

/// Every table, those that others refer to first. The columns of each begin with its key, of at
/// most two.
pub(super) const TABLES: [&str; 15] = [
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
    "login_codes",
    "audit_checkpoint",
    "audit",
];
/// The table of the last row of the trail, which always has one row.
const HEAD: &str = "audit_head";
/// The table of a backup that no database has.
const ABOUT: &str = "create table backup (made_at bigint not null)";
const NO_BACKUP: &str = "it is not a backup of this program";
/// No revision and no number of a row is above it: the server counts on from them.
const MAX_NUMBER: i64 = 1 << 53;
/// How many rows are read at once.
const PAGE: i64 = 2000;
/// How the name of a copy in the data folder begins.
const WORKING_COPY: &str = ".restore-";

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
        let context = || format!("cannot write {}", path.display());
        let partial = path.with_added_extension(format!("{}.partial", Uuid::new_v4().simple()));
        make_file(&partial).with_context(context)?;
        let temporary = Temporary::new(&partial);
        let about = self.write_backup(&partial).await.with_context(context)?;
        publish(&partial, path).with_context(context)?;
        drop(temporary);
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
        let mut file = connect(path).await?;
        migrate(&mut file).await?;
        let mut read = self.pool.begin_with(self.database.begin_read()).await?;
        let mut write = file.begin().await?;
        for table in TABLES.into_iter().chain([HEAD]) {
            delete(&mut write, table).await?;
            let columns = columns(&mut write, table).await?;
            copy(&mut read, &mut write, table, &columns).await?;
        }
        let made_at = clock::now();
        write.execute(ABOUT).await?;
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
    /// When the file is no backup, is of a newer version, or has another schema than this program
    /// makes.
    pub(crate) async fn open(path: &Path, folder: &Path) -> anyhow::Result<Self> {
        let about = || format!("cannot read the backup {}", path.display());
        let metadata = fs::metadata(path).with_context(about)?;
        ensure!(metadata.is_file(), "{} is not a file", path.display());
        let copy = WorkingCopy::make(folder)?;
        fs::copy(path, &copy.path).with_context(about)?;
        let mut connection = connect(&copy.path).await.with_context(about)?;
        check_schema(&mut connection).await.with_context(about)?;
        migrate(&mut connection).await.with_context(about)?;
        let about = about_of(&mut connection).await.with_context(about)?;
        Ok(Self { connection, about, _copy: copy })
    }
}

/// A copy of a backup in the data folder, for as long as it is read.
#[derive(Debug)]
struct WorkingCopy {
    path: PathBuf,
    /// Locked: another process leaves it alone.
    _file: File,
    _temporary: Temporary,
}

impl WorkingCopy {
    /// Makes an empty file.
    fn make(folder: &Path) -> anyhow::Result<Self> {
        let about = || format!("cannot write into {}", folder.display());
        remove_working_copies(folder).with_context(about)?;
        let path = folder.join(format!("{WORKING_COPY}{}", Uuid::new_v4().simple()));
        make_file(&path).with_context(about)?;
        let temporary = Temporary::new(&path);
        let file = File::open(&path)?;
        file.try_lock()?;
        ensure!(path.try_exists()?, "another process has removed {}", path.display());
        Ok(Self { path, _file: file, _temporary: temporary })
    }
}

/// Removes the copies that killed restores have left in the data folder. They hold keys.
///
/// # Errors
///
/// When the folder cannot be read, or a file cannot be removed.
pub(crate) fn remove_working_copies(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_copy = entry.file_name().to_string_lossy().starts_with(WORKING_COPY);
        if is_copy && entry.file_type()?.is_file() && File::open(entry.path())?.try_lock().is_ok() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

impl Write {
    /// Replaces every row by those of a backup. The trail and the signing keys are replaced only in
    /// a database that is empty: a trail is never deleted, and a key that was replaced since may be
    /// in other hands.
    ///
    /// # Errors
    ///
    /// When the database cannot be written, or the backup holds a value of another type.
    pub(crate) async fn replace_all(
        &mut self,
        backup: &mut Backup,
        is_empty: bool,
    ) -> anyhow::Result<()> {
        let stays = |table: &&str| table.starts_with("audit") || table.starts_with("signing_");
        let tables = TABLES.iter().filter(|table| is_empty || !stays(table));
        for table in tables.clone().rev() {
            delete(self.connection(), table).await?;
        }
        for table in tables {
            let columns = columns(&mut backup.connection, table).await?;
            copy(&mut backup.connection, self.connection(), table, &columns).await?;
        }
        if is_empty {
            let head = &backup.about.head;
            sqlx::query("update audit_head set number = $1, seal = $2")
                .bind(head.number)
                .bind(head.seal.as_str())
                .execute(self.connection())
                .await?;
        }
        Ok(())
    }

    /// Reads everything as a server does when it starts.
    ///
    /// # Errors
    ///
    /// When the database cannot be read, or holds an invalid record.
    pub(crate) async fn everything(&mut self) -> anyhow::Result<Changes> {
        let everything = Changes::read(self.connection(), &Known::default()).await?;
        let revision = everything.registry.revision;
        ensure!((0..MAX_NUMBER).contains(&revision), "the revision is {revision}");
        Ok(everything)
    }
}

/// Gives a whole file its name, and takes the place of no other. Where a file cannot have two
/// names, as on a memory stick, an empty one takes the name first.
fn publish(partial: &Path, path: &Path) -> std::io::Result<()> {
    match fs::hard_link(partial, path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            make_file(path)?;
            fs::rename(partial, path)
        }
        linked => linked,
    }
}

/// Makes an empty file that only its owner may read.
fn make_file(path: &Path) -> std::io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map(drop)
}

/// Opens a file. It has no journal beside it: a file that is half written is thrown away.
async fn connect(path: &Path) -> anyhow::Result<AnyConnection> {
    let url = format!("sqlite://{}?mode=rw", url_path(path));
    let mut connection = AnyConnection::connect(&url).await?;
    let pragmas =
        "pragma trusted_schema = off; pragma foreign_keys = on; pragma journal_mode = memory";
    connection.execute(pragmas).await?;
    Ok(connection)
}

/// Brings the schema of a file up to date.
async fn migrate(file: &mut AnyConnection) -> anyhow::Result<()> {
    match sqlx::migrate!("migrations/sqlite").run(file).await {
        Err(MigrateError::VersionMissing(_)) => {
            bail!("it is of a newer version of this program")
        }
        migrated => Ok(migrated?),
    }
}

/// Refuses a file whose schema is not exactly what its version of this program makes. A view, a
/// trigger or the default of a column would run what the author of the file wrote.
async fn check_schema(file: &mut AnyConnection) -> anyhow::Result<()> {
    let found = schema(file).await?;
    ensure!(found.contains(&Part::migrations()), NO_BACKUP);
    let version = sqlx::query_scalar("select max(version) from _sqlx_migrations");
    let version: i64 = version.fetch_one(&mut *file).await?;
    let all = sqlx::migrate!("migrations/sqlite");
    let older = all.iter().filter(|migration| migration.version <= version).cloned();
    let mut made = AnyConnection::connect("sqlite::memory:").await?;
    Migrator::with_migrations(older.collect()).run(&mut made).await?;
    made.execute(ABOUT).await?;
    let expected = schema(&mut made).await?;
    if let Some(part) = found.symmetric_difference(&expected).next() {
        bail!("its schema is not this program's: {} {:?}", part.kind, part.name);
    }
    let check: String = sqlx::query_scalar("pragma quick_check(1)").fetch_one(file).await?;
    ensure!(check == "ok", "the file is damaged: {check}");
    Ok(())
}

/// A table or an index, and the statement that made it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    kind: String,
    name: String,
    statement: String,
}

impl Part {
    /// The table of migrations, which a library makes: only that it is a table is compared.
    fn migrations() -> Self {
        let [kind, name] = ["table", "_sqlx_migrations"].map(str::to_owned);
        Self { kind, name, statement: String::new() }
    }
}

async fn schema(file: &mut AnyConnection) -> anyhow::Result<BTreeSet<Part>> {
    let parts = sqlx::query("select type, name, coalesce(sql, '') from sqlite_schema");
    let parts = parts.fetch_all(file).await?.into_iter().map(|row| {
        let part =
            Part { kind: row.try_get(0)?, name: row.try_get(1)?, statement: row.try_get(2)? };
        let migrations = Part::migrations();
        let is_of_library = (&part.kind, &part.name) == (&migrations.kind, &migrations.name);
        anyhow::Ok(if is_of_library { migrations } else { part })
    });
    parts.collect()
}

/// A path in an address: what would end it is encoded.
fn url_path(path: &Path) -> String {
    path.display().to_string().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

async fn about_of(file: &mut AnyConnection) -> anyhow::Result<About> {
    let row = sqlx::query(
        "select made_at, registry.revision, audit_head.number, audit_head.seal from backup, registry, audit_head",
    );
    let row = row.fetch_one(file).await.context(NO_BACKUP)?;
    let head = Head { number: row.try_get(2)?, seal: row.try_get(3)? };
    ensure!((0..MAX_NUMBER).contains(&head.number), "the last row of its trail is {}", head.number);
    Ok(About { made_at: row.try_get(0)?, revision: row.try_get(1)?, head })
}

async fn delete(db: &mut AnyConnection, table: &str) -> sqlx::Result<()> {
    db.execute(AssertSqlSafe(format!("delete from {table}"))).await.map(drop)
}

/// The columns of a table of a file whose schema is this program's, each in quotes.
async fn columns(file: &mut AnyConnection, table: &str) -> sqlx::Result<Vec<String>> {
    let columns = sqlx::query("select name from pragma_table_info($1) order by cid");
    let columns = columns.bind(table).fetch_all(file).await?;
    columns.iter().map(|row| Ok(format!("\"{}\"", row.try_get::<&str, _>(0)?))).collect()
}

/// Copies every row of a table. Names of tables and columns are this program's.
async fn copy(
    from: &mut AnyConnection,
    to: &mut AnyConnection,
    table: &str,
    columns: &[String],
) -> sqlx::Result<()> {
    let list = columns.join(", ");
    let page = format!("select {list} from {table} order by 1, 2 limit $1 offset $2");
    let mut offset = 0;
    loop {
        let page = sqlx::query(AssertSqlSafe(page.clone())).bind(PAGE).bind(offset);
        let rows = page.fetch_all(&mut *from).await?;
        for row in &rows {
            insert(to, table, columns, row).await?;
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
async fn insert(
    db: &mut AnyConnection,
    table: &str,
    columns: &[String],
    row: &AnyRow,
) -> sqlx::Result<()> {
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for (at, name) in columns.iter().enumerate() {
        let Some(value) = value(row, at)? else { continue };
        names.push(name.as_str());
        values.push(value);
    }
    let parameters: Vec<String> = (1..=values.len()).map(|number| format!("${number}")).collect();
    let text =
        format!("insert into {table} ({}) values ({})", names.join(", "), parameters.join(", "));
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
