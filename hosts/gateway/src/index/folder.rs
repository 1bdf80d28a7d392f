//! A folder belongs to one gateway: a file in it is locked for as long as the gateway lives.
//!
//! Locks of repositories are in the memory of the gateway that has the folder, and another one on
//! it would write past them. One that ends may take a while, and the next one waits for it.
//!
//! Left out: looking through a registry (`crawl`), which may be done beside a gateway.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use scopegate_host::database::make_folder;
use tokio::time::{Instant, sleep};

/// The file that is locked.
const FILE: &str = "gateway.lock";
/// How often it is tried.
const INTERVAL: Duration = Duration::from_millis(50);

/// Takes a folder for this process, until the file is dropped. One that ends may have it for so
/// long.
///
/// # Errors
///
/// When another gateway has it, or it cannot be written.
pub(crate) async fn take(folder: &Path, wait_for: Duration) -> anyhow::Result<File> {
    let about = || format!("cannot lock {}", folder.join(FILE).display());
    make_folder(folder).with_context(about)?;
    let options = OpenOptions::new().create(true).append(true).mode(0o600).clone();
    let file = options.open(folder.join(FILE)).with_context(about)?;
    let start = Instant::now();
    let mut has_told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(error).with_context(about),
            Err(TryLockError::WouldBlock) if start.elapsed() > wait_for => bail!(
                "another gateway uses {}; a folder belongs to one, and several share a PostgreSQL (index.databaseUrl)",
                folder.display()
            ),
            Err(TryLockError::WouldBlock) if !has_told => {
                tracing::warn!(folder = %folder.display(), "waiting for the gateway that has it");
                has_told = true;
            }
            Err(TryLockError::WouldBlock) => sleep(INTERVAL).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = take(folder.path(), Duration::ZERO).await.unwrap();
        let refused = take(folder.path(), Duration::from_millis(100)).await.unwrap_err();
        assert!(refused.to_string().starts_with("another gateway uses "), "{refused}");
        let next = take(folder.path(), Duration::from_secs(10));
        let ending = async {
            sleep(Duration::from_millis(200)).await;
            drop(first);
        };
        let (next, ()) = tokio::join!(next, ending);
        next.unwrap();
    }
}
