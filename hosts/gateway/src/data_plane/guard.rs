//! The lock of a repository: a push holds it shared until the registry has answered, and what
//! changes attributes or deletes holds it alone. So once a change of attributes was answered, no
//! push that it forbids arrives.
//!
//! Within the gateway each repository has one, which is fair; between gateways the index has one,
//! for which one request of a gateway asks at a time. A request that waits too long gets nothing.
//!
//! When it is not known what the registry did, a lock stays for a while after its request: the
//! registry may be at work still.
//!
//! Left out: blobs, which take no lock, because no tag names them.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tokio::time::{sleep, timeout};

use super::named::Named;
use super::reply::Trouble;
use crate::index::{Held, Index};

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
    locks: Named<Lock>,
    wait_for: Duration,
}

/// The lock of a repository.
#[derive(Debug, Default)]
struct Lock {
    local: Arc<RwLock<()>>,
    /// Who asks for the one between gateways.
    asking: Mutex<()>,
}

/// A lock that is held until this is dropped, or a while longer.
#[derive(Debug)]
pub(super) struct Guard {
    local: Option<(Local, Arc<Lock>)>,
    between: Option<Held>,
    /// Whether it is not known what the registry did.
    is_unknown: bool,
}

#[derive(Debug)]
enum Local {
    Shared { _guard: OwnedRwLockReadGuard<()> },
    Alone { _guard: OwnedRwLockWriteGuard<()> },
}

impl Guards {
    /// No locks yet.
    pub(super) fn new(wait_for: Duration) -> Self {
        Self { locks: Named::default(), wait_for }
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
        let lock = self.locks.of(repository);
        let local = Arc::clone(&lock.local);
        let local = match hold {
            Hold::Shared => Local::Shared { _guard: local.read_owned().await },
            Hold::Alone => Local::Alone { _guard: local.write_owned().await },
        };
        let asking = lock.asking.lock().await;
        let between = index.lock(repository, hold == Hold::Alone).await?;
        drop(asking);
        Ok(Guard { local: Some((local, lock)), between, is_unknown: false })
    }
}

impl Guard {
    /// Does something for as long as the lock is held. It is given up when the lock is lost.
    pub(super) async fn during<T>(
        &mut self,
        work: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        // Also when this is dropped in the middle.
        let was_unknown = std::mem::replace(&mut self.is_unknown, true);
        let done = tokio::select! {
            done = work => done,
            () = lost(self.between.as_ref()) => Err(Trouble::Busy("the lock of a repository was lost")),
        };
        self.is_unknown = was_unknown || done.is_err();
        done
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let held = (self.local.take(), self.between.take());
        if !self.is_unknown {
            return;
        }
        // Without a runtime the process ends.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                sleep(UNKNOWN_FOR).await;
                drop(held);
            });
        }
    }
}

/// Ends when the lock between gateways is held no more.
async fn lost(between: Option<&Held>) {
    match between {
        Some(held) => held.lost().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_for_whom() {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(folder.path(), None).await.unwrap();
        let guards = Guards::new(Duration::from_millis(50));
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

    #[tokio::test]
    async fn it_stays_when_it_is_not_known_what_the_registry_did() {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(folder.path(), None).await.unwrap();
        let guards = Guards::new(Duration::from_millis(50));
        for (repository, done, expected) in
            [("a", Ok(()), true), ("a", Err(Trouble::Registry("gone".into())), false)]
        {
            let mut guard = guards.take(&index, repository, Hold::Alone).await.unwrap();
            assert_eq!(guard.during(async { done }).await.is_ok(), expected);
            drop(guard);
            let next = guards.take(&index, repository, Hold::Shared).await;
            assert_eq!(next.is_ok(), expected);
        }
        let mut guard = guards.take(&index, "b", Hold::Alone).await.unwrap();
        let cut_off =
            timeout(Duration::ZERO, guard.during(std::future::pending::<Result<(), _>>()));
        assert!(cut_off.await.is_err());
        drop(guard);
        assert!(guards.take(&index, "b", Hold::Shared).await.is_err());
    }
}
