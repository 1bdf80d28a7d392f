//! A database for one test: a SQLite file of its own, or a database of its own in a PostgreSQL
//! cluster that all tests of a program share.

#[path = "../../../../../tests/clients/software/postgres.rs"]
mod postgres;
#[path = "../../../../../tests/clients/software/process.rs"]
mod process;

use std::process::Child;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use scopegate_server::testing::store::{self, Store};
use sqlx::{AnyConnection, Connection as _, Executor as _};
use tempfile::TempDir;

use self::postgres::Postgres;

/// The cluster, and what ends it with the program.
static CLUSTER: LazyLock<(Postgres, Child)> = LazyLock::new(|| {
    let cluster = Postgres::start();
    let watcher = cluster.end_with_this_process();
    (cluster, watcher)
});
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A database that no other test uses.
pub(crate) struct Database {
    pub(crate) folder: TempDir,
    /// What the server is told with `--database-url`.
    pub(crate) url: Option<String>,
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        sqlx::any::install_default_drivers();
        Self { folder: tempfile::tempdir().unwrap(), url: None }
    }

    pub(crate) async fn postgres() -> Self {
        let database = Self::sqlite();
        let cluster = CLUSTER.0.url();
        let name = format!("test{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        run(&cluster, &format!("create database {name}")).await;
        let url = cluster.strip_suffix("postgres").unwrap().to_owned() + &name;
        Self { url: Some(url), ..database }
    }

    /// Another one of the same kind.
    pub(crate) async fn another(&self) -> Self {
        if self.url.is_some() { Self::postgres().await } else { Self::sqlite() }
    }

    pub(crate) async fn open(&self) -> anyhow::Result<Store> {
        store::open(self.folder.path(), self.url.as_deref()).await
    }

    /// Does something to the database that the server never does.
    pub(crate) async fn sql(&self, statements: &str) {
        run(&self.address(), statements).await;
    }

    /// The first column of the one row that a query gives.
    pub(crate) async fn number(&self, query: &'static str) -> i64 {
        let mut connection = AnyConnection::connect(&self.address()).await.unwrap();
        let number = sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        number
    }

    fn address(&self) -> String {
        let file =
            || format!("sqlite://{}?mode=rwc", self.folder.path().join("scopegate.db").display());
        self.url.clone().unwrap_or_else(file)
    }
}

pub(crate) async fn run(url: &str, statements: &str) {
    let mut connection = AnyConnection::connect(url).await.unwrap();
    connection.execute(sqlx::AssertSqlSafe(statements)).await.unwrap();
    connection.close().await.unwrap();
}
