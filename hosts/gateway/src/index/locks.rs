//! Locks of repositories between gateways: PostgreSQL's advisory ones, which end with the
//! transaction that took them, and so with its connection.
//!
//! Left out: locks within one gateway, how long one waits, and what a holder that lost its lock
//! left behind ([`pending`](super::pending)).

use sha2::{Digest as _, Sha256};
use sqlx::{Any, Transaction};

use super::Index;

impl Index {
    /// Takes the lock of a repository between gateways; nothing where this gateway is the only one.
    /// It is held until the transaction is dropped. How long this may take is the caller's to say.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached, or another gateway holds the lock for too long.
    pub(crate) async fn lock(
        &self,
        repository: &str,
        is_exclusive: bool,
    ) -> sqlx::Result<Option<Transaction<'static, Any>>> {
        let Some(pool) = &self.locks else { return Ok(None) };
        let statement = if is_exclusive {
            "select pg_advisory_xact_lock($1)::text"
        } else {
            "select pg_advisory_xact_lock_shared($1)::text"
        };
        // There are few connections, and a push waits for one as it waits for the lock.
        let mut transaction = loop {
            match pool.begin().await {
                Err(sqlx::Error::PoolTimedOut) => {}
                begun => break begun?,
            }
        };
        sqlx::query(statement).bind(key(repository)).execute(&mut *transaction).await?;
        Ok(Some(transaction))
    }
}

/// Whether a held lock is still held: whether its connection still is one.
///
/// # Errors
///
/// When it is not.
pub(crate) async fn check(held: &mut Transaction<'static, Any>) -> sqlx::Result<()> {
    sqlx::query("select 1").execute(&mut **held).await.map(drop)
}

/// A number for a repository. Two that share one wait for each other, and nothing else.
fn key(repository: &str) -> i64 {
    let digest = Sha256::digest(repository.as_bytes());
    let first = digest.first_chunk::<8>().copied().unwrap_or_default();
    i64::from_be_bytes(first)
}
