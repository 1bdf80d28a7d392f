//! The upkeep of the audit trail: its head in the log every minute, sign-ins written by and by, old
//! rows deleted.
//!
//! Changes do not pass here: they write their own rows. A sign-in goes into a bounded queue, so no
//! login waits for the database; one that does not fit is counted and logged.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::app::App;
use crate::clock;
use crate::domain::audit::prune::prune;
use crate::domain::audit::sign_ins::{SignIn, SignIns};
use crate::domain::keys::steadiness::Steadiness;
use crate::model::audit::{AuditKey, Entry};
use crate::store::Store;
use crate::telemetry::audit::log_head;

/// How many sign-ins wait.
const QUEUE: usize = 4096;
/// How many rows wait while the database cannot be written.
const MAX_UNWRITTEN: usize = 16_384;
/// How often sign-ins are written.
const WRITE_INTERVAL: Duration = Duration::from_secs(1);
/// How often the head is logged, and old rows are looked for.
const HEAD_INTERVAL: Duration = Duration::from_secs(60);

/// Takes sign-ins, without waiting.
#[derive(Debug)]
pub(crate) struct SignInQueue {
    sender: Sender<SignIn>,
    waiting: Mutex<Waiting>,
    lost: AtomicU64,
}

#[derive(Debug)]
struct Waiting {
    receiver: Receiver<SignIn>,
    folded: SignIns,
    unwritten: Vec<Entry>,
}

impl Default for SignInQueue {
    fn default() -> Self {
        let (sender, receiver) = channel(QUEUE);
        let waiting = Waiting { receiver, folded: SignIns::default(), unwritten: Vec::new() };
        Self { sender, waiting: Mutex::new(waiting), lost: AtomicU64::new(0) }
    }
}

impl SignInQueue {
    /// Adds a sign-in, unless the queue is full.
    pub(crate) fn add(&self, sign_in: SignIn) {
        if self.sender.try_send(sign_in).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Warns when the last row was sealed with another key: verifying the trail needs both.
///
/// # Errors
///
/// When the database cannot be read.
pub(crate) async fn warn_of_another_key(store: &Store) -> sqlx::Result<()> {
    let mut read = store.read().await?;
    let head = read.audit_head().await?;
    let last = read.audit_after(head.number.saturating_sub(1), 1).await?.pop();
    let sealed_with = last.map(|row| row.key_id).unwrap_or_default();
    if !sealed_with.is_empty() && sealed_with != store.audit_key().id() {
        tracing::warn!(
            key_id = store.audit_key().id(),
            sealed_with,
            "the audit trail goes on with another key; name the former one in audit.previousKeys"
        );
    }
    Ok(())
}

/// Writes the sign-ins whose time has come; at shutdown all of them.
///
/// # Errors
///
/// When the database cannot be written. The next call tries the same rows again.
pub async fn save(app: &App, is_last: bool) -> sqlx::Result<()> {
    let mut waiting = app.sign_ins.waiting.lock().await;
    let Waiting { receiver, folded, unwritten } = &mut *waiting;
    while let Ok(sign_in) = receiver.try_recv() {
        folded.add(sign_in);
    }
    unwritten.append(&mut if is_last { folded.take_all() } else { folded.take_due(clock::now()) });
    let too_many = unwritten.len().saturating_sub(MAX_UNWRITTEN);
    unwritten.drain(..too_many);
    let lost = app.sign_ins.lost.swap(0, Ordering::Relaxed).saturating_add(too_many as u64);
    if lost > 0 {
        tracing::warn!(lost, "more sign-ins than the trail can take; these are not in it");
    }
    if unwritten.is_empty() {
        return Ok(());
    }
    app.store.append_audit(unwritten.clone()).await?;
    unwritten.clear();
    Ok(())
}

/// Writes sign-ins every second. Never returns.
pub(crate) async fn write_sign_ins(app: Arc<App>) {
    loop {
        tokio::time::sleep(WRITE_INTERVAL).await;
        if let Err(error) = save(&app, false).await {
            tracing::warn!(%error, "cannot write sign-ins to the audit trail");
        }
    }
}

/// How long rows are kept, and the former keys by which those are verified that go.
pub(crate) struct Keep {
    pub keep_for: Duration,
    pub former: Vec<AuditKey>,
}

/// Logs the head and deletes old rows every minute. Never returns.
pub(crate) async fn keep(app: Arc<App>, keep: Option<Keep>) {
    let mut steadiness = Steadiness::new(clock::now(), Instant::now());
    loop {
        if let Err(error) = look(&app).await {
            tracing::warn!(%error, "cannot read the audit trail");
        }
        tokio::time::sleep(HEAD_INTERVAL).await;
        let now = clock::now();
        // A clock that jumps ahead must not delete a trail.
        let is_steady = steadiness.look(now, Instant::now());
        if let Some(keep) = keep.as_ref().filter(|_| is_steady)
            && let Err(error) = prune_old(&app, keep, now).await
        {
            tracing::warn!(%error, "cannot delete old rows of the audit trail");
        }
    }
}

async fn look(app: &App) -> sqlx::Result<()> {
    log_head(&app.store.read().await?.audit_head().await?);
    Ok(())
}

async fn prune_old(app: &App, keep: &Keep, now: i64) -> sqlx::Result<()> {
    let keep_for = i64::try_from(keep.keep_for.as_secs()).unwrap_or(i64::MAX);
    let mut keys = vec![app.store.audit_key().clone()];
    keys.extend(keep.former.iter().cloned());
    loop {
        let pruned = prune(&app.store, &keys, now.saturating_sub(keep_for), now).await?;
        if let Some((number, fault)) = pruned.stopped {
            tracing::error!(
                number,
                %fault,
                "rows of the audit trail do not verify; they and those after them are kept"
            );
            return Ok(());
        }
        if pruned.deleted <= 1 {
            return Ok(());
        }
    }
}
