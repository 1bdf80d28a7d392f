//! What differs between the databases.

use std::fmt::Debug;
use std::fs::File;

use async_trait::async_trait;
use sqlx::AnyConnection;
use sqlx::any::AnyConnectOptions;
use sqlx::migrate::Migrator;

/// A kind of database.
#[async_trait]
pub(crate) trait Database: Debug + Send + Sync {
    /// What a person calls it, without secrets.
    fn describe(&self) -> String;

    /// Where it is.
    ///
    /// # Errors
    ///
    /// When the address is none.
    fn options(&self) -> sqlx::Result<AnyConnectOptions>;

    /// What each connection runs first.
    fn prepare(&self) -> &'static str;

    /// Waits until no other process brings the schema up to date; it is this one's turn as long as
    /// it holds what it gets.
    ///
    /// # Errors
    ///
    /// When the lock cannot be had.
    async fn turn(&self) -> std::io::Result<Option<File>>;

    /// Its schema, step by step.
    fn migrations(&self) -> Migrator;

    /// Begins a transaction that no other write runs beside.
    fn begin_write(&self) -> &'static str;

    /// Begins a transaction that reads everything as it is at one moment.
    fn begin_read(&self) -> &'static str;

    /// Tells other processes that something changed, when the transaction is committed.
    async fn announce(&self, connection: &mut AnyConnection) -> sqlx::Result<()>;

    /// Tells when another process may have changed something.
    async fn news(&self) -> sqlx::Result<Box<dyn News>>;
}

/// Tells when another process may have changed something.
#[async_trait]
pub trait News: Send {
    /// Resolves when something may have changed since the last call.
    ///
    /// # Errors
    ///
    /// When the connection is lost. What happened meanwhile is not told; ask for the changes after
    /// connecting again.
    async fn wait(&mut self) -> sqlx::Result<()>;
}
