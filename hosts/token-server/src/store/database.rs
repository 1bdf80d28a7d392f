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
    async fn lock(&self) -> std::io::Result<Option<File>>;

    /// The migrations of its schema.
    fn migrations(&self) -> Migrator;

    /// Begins a transaction that excludes all other writes.
    fn begin_write(&self) -> &'static str;

    /// Begins a transaction that reads one consistent state.
    fn begin_read(&self) -> &'static str;

    /// Removes from the database's files what was replaced or deleted in the tables of private
    /// keys. `is_needed` tells that something was; a database may also know by itself that it has
    /// not done so yet.
    async fn scrub(&self, connection: &mut AnyConnection, is_needed: bool) -> sqlx::Result<()>;

    /// Notifies other processes of the change when the transaction is committed.
    async fn notify(&self, connection: &mut AnyConnection) -> sqlx::Result<()>;

    /// Notifies when another process may have written.
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
