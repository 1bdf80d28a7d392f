//! Writes that the registry was asked for and has not answered. A gateway that is killed, or whose
//! lock is lost, leaves them behind: the registry may be at work, and nothing holds the lock. Who
//! takes the lock next finds them, and waits until they have arrived or never will.
//!
//! Between gateways that is a row, committed before the registry is asked. While a lock is held, a
//! row that the lock excludes is of a holder that lost it. The table is not logged, so no commit
//! waits for a disk; PostgreSQL empties it when it crashes, and its own start is waited out then.
//!
//! A folder has one gateway at a time, so there it is a file for each way to hold a lock. It has to
//! outlive the process and not the machine, and is never flushed.
//!
//! Left out: what the registry did, which is asked when it is shown.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use scopegate_host::correlation;
use sqlx::{AnyPool, Row as _};
use tokio::time::sleep;

use super::{Index, bounded};

/// How long a gateway may take to notice that its lock is lost, and the registry to finish what it
/// was asked until then.
const SETTLED_AFTER: Duration = Duration::from_secs(6);
/// The ends of the files' names, for a lock that is shared and for one that is held alone.
const ENDS: [&str; 2] = ["pushing", "changing"];

/// Where it is noted what is under way.
#[derive(Debug)]
pub(super) enum PendingWrites {
    /// Between gateways.
    Rows,
    /// In a folder.
    Files(Files),
}

/// A write that is under way.
#[derive(Debug)]
pub(crate) enum Pending {
    /// The row's key.
    Row(String),
    /// How the lock is held.
    File(usize),
}

/// One file for each way to hold a lock, while there are writes under it.
#[derive(Debug)]
pub(super) struct Files {
    paths: [PathBuf; 2],
    counts: Mutex<[usize; 2]>,
    /// Those of gateways that ended.
    left: [Vec<PathBuf>; 2],
    opened: Instant,
}

impl Index {
    /// Notes that the registry is about to be asked. The lock is held.
    ///
    /// # Errors
    ///
    /// When it cannot be noted: the registry must not be asked then.
    pub(crate) async fn begin_pending(
        &self,
        repository: &str,
        is_exclusive: bool,
    ) -> sqlx::Result<Pending> {
        match &*self.pending {
            PendingWrites::Files(files) => Ok(Pending::File(files.begin(is_exclusive)?)),
            PendingWrites::Rows => {
                let id = correlation::new_id().to_string();
                let statement =
                    "insert into pending_writes (id, repository, is_exclusive) values ($1, $2, $3)";
                let query = sqlx::query(statement).bind(id.as_str()).bind(repository);
                bounded(query.bind(is_exclusive).execute(&self.pool)).await?;
                Ok(Pending::Row(id))
            }
        }
    }

    /// Notes that it has answered, or never will. What cannot be noted makes the next holder of the
    /// lock wait, and nothing worse.
    pub(crate) async fn end_pending(&self, pending: Pending) {
        let ended = match (&*self.pending, pending) {
            (PendingWrites::Files(files), Pending::File(way)) => {
                files.end(way).map_err(sqlx::Error::from)
            }
            (_, Pending::Row(id)) => {
                let query = sqlx::query("delete from pending_writes where id = $1").bind(id);
                bounded(query.execute(&self.pool)).await.map(drop)
            }
            (PendingWrites::Rows, Pending::File(_)) => Ok(()),
        };
        if let Err(error) = ended {
            tracing::warn!(%error, "the end of a write was not noted");
        }
    }

    /// Waits out what holders of a lock left that was lost. The lock is held.
    ///
    /// # Errors
    ///
    /// When it is not known what was left.
    pub(crate) async fn settle(&self, repository: &str, is_exclusive: bool) -> sqlx::Result<()> {
        match &*self.pending {
            PendingWrites::Files(files) => files.settle(is_exclusive).await,
            PendingWrites::Rows => settle_rows(&self.pool, repository, is_exclusive).await?,
        }
        Ok(())
    }
}

/// Also waits out the writes of gateways whose locks ended with a database that ended: it may have
/// started again before they noticed.
async fn settle_rows(pool: &AnyPool, repository: &str, is_exclusive: bool) -> sqlx::Result<()> {
    // The time is noted where it stays when who waits gives up.
    let query = "with found as (
            update pending_writes set found = coalesce(found, clock_timestamp())
            where repository = $1 and (is_exclusive or $2) returning found)
        select cast(extract(epoch from clock_timestamp() - pg_postmaster_start_time()) * 1000 as bigint),
            (select cast(extract(epoch from clock_timestamp() - max(found)) * 1000 as bigint) from found)";
    let row = sqlx::query(query).bind(repository).bind(is_exclusive).fetch_one(pool);
    let row = bounded(row).await?;
    let (started, found): (i64, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
    let ago = found.map_or(started, |found| found.min(started)).max(0);
    sleep(SETTLED_AFTER.saturating_sub(Duration::from_millis(ago.unsigned_abs()))).await;
    if found.is_some() {
        let statement = "delete from pending_writes
            where repository = $1 and (is_exclusive or $2) and found is not null";
        let query = sqlx::query(statement).bind(repository).bind(is_exclusive);
        bounded(query.execute(pool)).await?;
    }
    Ok(())
}

impl Files {
    /// Those of a folder, and what is left there.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let id = correlation::new_id();
        let mut left = [Vec::new(), Vec::new()];
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let end = path.extension();
            let way = ENDS.iter().position(|name| end.is_some_and(|end| end == *name));
            if let Some(left) = way.and_then(|way| left.get_mut(way)) {
                left.push(path);
            }
        }
        Ok(Self {
            paths: ENDS.map(|end| folder.join(format!("{id}.{end}"))),
            counts: Mutex::default(),
            left,
            opened: Instant::now(),
        })
    }

    fn begin(&self, is_exclusive: bool) -> io::Result<usize> {
        let way = usize::from(is_exclusive);
        self.count(way, |path, count| {
            if *count == 0 {
                File::create(path)?;
            }
            *count = count.saturating_add(1);
            Ok(())
        })?;
        Ok(way)
    }

    fn end(&self, way: usize) -> io::Result<()> {
        self.count(way, |path, count| {
            *count = count.saturating_sub(1);
            if *count == 0 { fs::remove_file(path) } else { Ok(()) }
        })
    }

    fn count(
        &self,
        way: usize,
        change: impl FnOnce(&Path, &mut usize) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        match (self.paths.get(way), counts.get_mut(way)) {
            (Some(path), Some(count)) => change(path, count),
            _ => Err(ErrorKind::NotFound.into()),
        }
    }

    async fn settle(&self, is_exclusive: bool) {
        let [pushing, changing] = &self.left;
        let pushing = if is_exclusive { pushing.as_slice() } else { &[] };
        if pushing.is_empty() && changing.is_empty() {
            return;
        }
        let rest = SETTLED_AFTER.saturating_sub(self.opened.elapsed());
        if rest.is_zero() {
            return;
        }
        sleep(rest).await;
        for path in pushing.iter().chain(changing) {
            // Another one may have been quicker.
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// Whether taking the lock of the folder's next gateway waits, shared and alone.
    async fn waits(folder: &Path) -> [bool; 2] {
        let index = Index::open(folder, None).await.unwrap();
        let mut waits = [false; 2];
        for (way, waits) in waits.iter_mut().enumerate() {
            let settled = timeout(Duration::from_millis(50), index.settle("r", way == 1)).await;
            *waits = settled.is_err();
        }
        waits
    }

    #[tokio::test]
    async fn what_is_left_in_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(folder.path(), None).await.unwrap();
        let [one, two, change] = [
            index.begin_pending("r", false).await.unwrap(),
            index.begin_pending("s", false).await.unwrap(),
            index.begin_pending("r", true).await.unwrap(),
        ];
        assert_eq!(waits(folder.path()).await, [true, true]);
        index.end_pending(change).await;
        assert_eq!(waits(folder.path()).await, [false, true]);
        index.end_pending(one).await;
        assert_eq!(waits(folder.path()).await, [false, true]);
        index.end_pending(two).await;
        assert_eq!(waits(folder.path()).await, [false, false]);
    }
}
