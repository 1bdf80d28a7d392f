//! The lock of a repository: a push holds it shared until the registry has answered, and what
//! changes attributes or deletes holds it alone. So once a change of attributes was answered, no
//! push that it forbids arrives.
//!
//! Within the gateway there is a fixed number of locks, which repositories share; between gateways
//! the index has one. A request that waits too long gets nothing.
//!
//! Left out: blobs, which take no lock, because no tag names them.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{Any, Transaction};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tokio::time::{sleep, timeout};

use super::reply::Trouble;
use super::turn;
use crate::index::{Index, check};

/// How often a lock between gateways is looked after.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// For how long a lock stays when it is not known what the registry did.
const UNKNOWN_FOR: Duration = Duration::from_secs(5);

/// How a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    Shared,
    Alone,
}

/// The locks.
#[derive(Debug)]
pub(super) struct Guards {
    locks: Vec<Arc<RwLock<()>>>,
    wait_for: Duration,
}

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub(super) struct Guard {
    _local: Local,
    between: Option<Transaction<'static, Any>>,
}

#[derive(Debug)]
enum Local {
    Shared { _guard: OwnedRwLockReadGuard<()> },
    Alone { _guard: OwnedRwLockWriteGuard<()> },
}

impl Guards {
    /// This many locks.
    pub(super) fn new(count: usize, wait_for: Duration) -> Self {
        Self { locks: (0..count).map(|_| Arc::default()).collect(), wait_for }
    }

    /// Takes the lock of a repository.
    pub(super) async fn take(
        &self,
        index: &Index,
        repository: &str,
        hold: Hold,
    ) -> Result<Guard, Trouble> {
        let taken = timeout(self.wait_for, self.wait(index, repository, hold)).await;
        taken.map_err(|_| Trouble::Busy("others write to the repository for too long"))?
    }

    async fn wait(&self, index: &Index, repository: &str, hold: Hold) -> Result<Guard, Trouble> {
        let lock = self.locks.get(turn(repository, self.locks.len()));
        let lock = lock.ok_or(Trouble::Busy("there is no lock"))?;
        let local = match hold {
            Hold::Shared => Local::Shared { _guard: Arc::clone(lock).read_owned().await },
            Hold::Alone => Local::Alone { _guard: Arc::clone(lock).write_owned().await },
        };
        let between = index.lock(repository, hold == Hold::Alone).await?;
        Ok(Guard { _local: local, between })
    }
}

impl Guard {
    /// Does something for as long as the lock is held. It is given up when the lock is lost.
    pub(super) async fn during<T>(
        &mut self,
        work: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        tokio::select! {
            done = work => done,
            () = lost(&mut self.between) => Err(Trouble::Busy("the lock of a repository was lost")),
        }
    }

    /// Keeps the lock for a while longer: the registry may still be doing what it was asked.
    pub(super) fn linger(self) {
        tokio::spawn(async move {
            sleep(UNKNOWN_FOR).await;
            drop(self);
        });
    }
}

/// Ends when the lock between gateways is held no more.
async fn lost(between: &mut Option<Transaction<'static, Any>>) {
    let Some(held) = between else { return std::future::pending().await };
    loop {
        sleep(CHECK_INTERVAL).await;
        if let Err(error) = check(held).await {
            tracing::error!(%error, "the lock of a repository was lost");
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_for_whom() {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(folder.path(), None).await.unwrap();
        let guards = Guards::new(64, Duration::from_millis(50));
        for (held, wanted, repository, expected) in [
            (Hold::Shared, Hold::Shared, "a", true),
            (Hold::Shared, Hold::Alone, "a", false),
            (Hold::Alone, Hold::Shared, "a", false),
            (Hold::Alone, Hold::Alone, "a", false),
            (Hold::Alone, Hold::Alone, "b", true),
        ] {
            let _held = guards.take(&index, "a", held).await.unwrap();
            let taken = guards.take(&index, repository, wanted).await;
            assert_eq!(taken.is_ok(), expected, "{held:?} {wanted:?} {repository}");
        }
        assert!(guards.take(&index, "a", Hold::Alone).await.is_ok());
    }
}
