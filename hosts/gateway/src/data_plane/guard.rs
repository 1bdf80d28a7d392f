//! The lock of a repository: a push or a mount holds it shared until the registry has answered, and
//! what changes attributes or deletes holds it alone. So once a change of attributes was answered,
//! no push that it forbids arrives.
//!
//! Within the gateway each repository has one, which is fair; between gateways the index has one,
//! for which one request of a gateway asks at a time. A request that waits too long gets nothing.
//!
//! When it is not known what the registry did, a lock stays for a while after its request: the
//! registry may be at work still. When a gateway is killed or loses its lock, who takes it next
//! waits as long: what is under way is noted in the index. What the registry does even later may
//! arrive under a later lock.
//!
//! Left out: uploads of blobs, which take no lock: no tag names them, and they may take hours.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tokio::time::{sleep, timeout};

use super::named::Named;
use super::reply::Trouble;
use crate::drain::Work;
use crate::index::{Held, Index, Pending};

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
    work: Work,
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
    index: Index,
    repository: String,
    hold: Hold,
    local: Option<(Local, Arc<Lock>)>,
    between: Option<Held>,
    /// What the registry was asked under it.
    pending: Option<Pending>,
    /// Whether it is not known what the registry did.
    is_unknown: bool,
    /// The end of the process waits for what follows this, too.
    work: Work,
}

#[derive(Debug)]
enum Local {
    Shared { _guard: OwnedRwLockReadGuard<()> },
    Alone { _guard: OwnedRwLockWriteGuard<()> },
}

impl Guards {
    /// No locks yet.
    pub(super) fn new(wait_for: Duration, work: Work) -> Self {
        Self { locks: Named::default(), wait_for, work }
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

    /// Takes the locks of two repositories, shared.
    pub(super) async fn take_both(
        &self,
        index: &Index,
        repositories: [&str; 2],
    ) -> Result<[Guard; 2], Trouble> {
        let taken = timeout(self.wait_for, self.wait_for_both(index, repositories)).await;
        taken.map_err(|_| Trouble::Busy("others write to the repositories for too long"))?
    }

    async fn wait_for_both(
        &self,
        index: &Index,
        mut repositories: [&str; 2],
    ) -> Result<[Guard; 2], Trouble> {
        // Everybody takes them in the same order, or two might wait for each other for ever.
        repositories.sort_unstable();
        let [first, second] = repositories;
        let held = self.wait(index, first, Hold::Shared).await?;
        if first != second {
            return Ok([held, self.wait(index, second, Hold::Shared).await?]);
        }
        // Taken twice, it would wait behind who waits for the first to be given back.
        Ok([held, self.guard(index, second, Hold::Shared)])
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
        index.settle(repository, hold == Hold::Alone).await?;
        let mut guard = self.guard(index, repository, hold);
        (guard.local, guard.between) = (Some((local, lock)), between);
        Ok(guard)
    }

    /// One that holds nothing itself.
    fn guard(&self, index: &Index, repository: &str, hold: Hold) -> Guard {
        Guard {
            index: index.clone(),
            repository: repository.to_owned(),
            hold,
            local: None,
            between: None,
            pending: None,
            is_unknown: false,
            work: self.work.clone(),
        }
    }
}

impl Guard {
    /// Makes sure that it is held still.
    pub(super) async fn confirm(&mut self) -> Result<(), Trouble> {
        match &self.between {
            Some(held) => Ok(held.confirm().await?),
            None => Ok(()),
        }
    }

    /// Does something for as long as the lock is held. It is given up when the lock is lost.
    pub(super) async fn during<T>(
        &mut self,
        work: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        self.note().await?;
        // Also when this is dropped in the middle.
        let was_unknown = std::mem::replace(&mut self.is_unknown, true);
        let done = tokio::select! {
            done = work => done,
            () = lost(self.between.as_ref()) => Err(Trouble::Busy("the lock of a repository was lost")),
        };
        self.is_unknown = was_unknown || done.is_err();
        done
    }

    /// Notes that the registry is about to be asked.
    async fn note(&mut self) -> Result<(), Trouble> {
        if self.pending.is_some() {
            return Ok(());
        }
        let is_exclusive = self.hold == Hold::Alone;
        self.pending = Some(self.index.begin_pending(&self.repository, is_exclusive).await?);
        // Who took a lock that was lost before has not seen the note.
        self.confirm().await
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let held = (self.local.take(), self.between.take());
        let Some(pending) = self.pending.take() else { return };
        let rest = if self.is_unknown { UNKNOWN_FOR } else { Duration::ZERO };
        let (index, begun) = (self.index.clone(), self.work.begin());
        // Without a runtime the process ends.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                sleep(rest).await;
                index.end_pending(pending).await;
                drop((held, begun));
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
        let guards = Guards::new(Duration::from_millis(50), Work::default());
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

    #[tokio::test(flavor = "multi_thread")]
    async fn two_repositories() {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(folder.path(), None).await.unwrap();
        let guards = Arc::new(Guards::new(Duration::from_millis(50), Work::default()));
        let held = guards.take_both(&index, ["a", "b"]).await.unwrap();
        assert!(guards.take_both(&index, ["b", "a"]).await.is_ok());
        assert!(guards.take_both(&index, ["a", "a"]).await.is_ok());
        for repository in ["a", "b"] {
            assert!(guards.take(&index, repository, Hold::Shared).await.is_ok());
            assert!(guards.take(&index, repository, Hold::Alone).await.is_err());
        }
        drop(held);
        let held = guards.take(&index, "b", Hold::Alone).await.unwrap();
        assert!(guards.take_both(&index, ["a", "b"]).await.is_err());
        drop(held);
        // None waits for another that waits for it.
        let guards = Arc::new(Guards::new(Duration::from_secs(20), Work::default()));
        let takers: Vec<_> = (0..200)
            .map(|number| {
                let (guards, index) = (Arc::clone(&guards), index.clone());
                tokio::spawn(async move {
                    let taken = match number % 4 {
                        0 => guards.take_both(&index, ["a", "b"]).await.map(drop),
                        1 => guards.take_both(&index, ["b", "a"]).await.map(drop),
                        2 => guards.take(&index, "a", Hold::Alone).await.map(drop),
                        _ => guards.take(&index, "b", Hold::Alone).await.map(drop),
                    };
                    taken.is_ok()
                })
            })
            .collect();
        for taker in takers {
            assert!(taker.await.unwrap());
        }
    }

    #[tokio::test]
    async fn it_stays_when_it_is_not_known_what_the_registry_did() {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(folder.path(), None).await.unwrap();
        let guards = Guards::new(Duration::from_millis(50), Work::default());
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
    /// A process that ends leaves no note of a write that has ended: the next one would wait for
    /// it.
    #[tokio::test]
    async fn the_end_of_the_process_waits_for_the_note() {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(folder.path(), None).await.unwrap();
        let work = Work::default();
        let guards = Guards::new(Duration::from_millis(50), work.clone());
        let notes = || {
            let files = std::fs::read_dir(folder.path()).unwrap();
            files
                .filter(|it| {
                    it.as_ref().unwrap().path().extension().is_some_and(|end| end == "pushing")
                })
                .count()
        };
        let mut guard = guards.take(&index, "a", Hold::Shared).await.unwrap();
        guard.during(async { Ok(()) }).await.unwrap();
        assert_eq!(notes(), 1);
        drop(guard);
        work.done().await;
        assert_eq!(notes(), 0);
    }
}
