//! Keeping the snapshot as new as the database.
//!
//! News of a change comes from the database itself; and once a second the server looks even without
//! news, which costs one row and tells it whether the database is there at all. When the database
//! cannot be read, or holds what cannot be compiled, the last good snapshot stays and the log says
//! why.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use tokio::time::timeout;

use crate::app::App;
use crate::clock;
use crate::domain::keys::Ring;
use crate::domain::policy::Policy;
use crate::store::{History, KeysRecord, Known, News, Store, Write};

/// How long the server waits for news before it looks by itself.
const EVERY: Duration = Duration::from_secs(1);
/// How long a request waits for the snapshot to be as new as the database.
const PATIENCE: Duration = Duration::from_secs(2);

/// Brings the snapshot up to date with what has been committed.
///
/// # Errors
///
/// When the database cannot be read or holds what cannot be compiled. The old snapshot stays.
pub async fn catch_up(app: &App) -> anyhow::Result<()> {
    // One at a time: the later one sees what the earlier one has done.
    let _guard = app.snapshot_lock.lock().await;
    let policy = Arc::clone(&app.policy());
    let known = Known::from(&policy.registry);
    let mut changes = app.store.changes_since(&known).await?;
    if changes.history == History::PutBack {
        begin_epoch(app, &known).await?;
        changes = app.store.changes_since(&known).await?;
    }
    if Known::from(&changes.registry) != known {
        renew_keys(app, std::mem::take(&mut changes.keys))?;
        let next = policy.apply(changes, &app.runtime)?;
        tracing::info!(revision = next.revision(), tokens = next.tokens().len(), "policy read");
        app.replace_policy(next);
    }
    let policy = app.policy();
    app.readiness.note_providers(app.has_kept_providers(&policy));
    app.readiness.confirm(policy.revision(), policy.tokens().len(), clock::now());
    Ok(())
}

/// The same for whoever cannot go on without: at once an error when the database is known to be
/// gone.
///
/// # Errors
///
/// When the database does not answer in time. Whoever follows it finds out when it is back.
pub(crate) async fn catch_up_now(app: &App) -> anyhow::Result<()> {
    anyhow::ensure!(!app.readiness.is_gone(), "the database does not answer");
    let caught_up = timeout(PATIENCE, catch_up(app)).await;
    caught_up.unwrap_or_else(|_| bail!("the database does not answer in time"))
}

/// The database does not answer; the text is for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseGone(pub String);

/// Whether the database holds something newer than this snapshot, so that credentials are to be
/// looked at again: good ones, which may have ended, and unknown ones, which another process may
/// have made a moment ago. All unknown ones together make the database work only
/// [so often](App::second_looks).
///
/// # Errors
///
/// [`DatabaseGone`] for good credentials when the database does not answer.
pub(crate) async fn has_changed(
    app: &App,
    policy: &Policy,
    is_known: bool,
) -> Result<bool, DatabaseGone> {
    if !is_known && app.second_looks.check(()).is_err() {
        return Ok(false);
    }
    match catch_up_now(app).await {
        Ok(()) => Ok(app.policy().revision() != policy.revision()),
        Err(error) if is_known => Err(DatabaseGone(format!("{error:#}"))),
        Err(_) => Ok(false),
    }
}

/// Makes a write last, and lets it count here at once.
///
/// # Errors
///
/// When the database cannot be written.
pub async fn commit(app: &App, write: Write) -> sqlx::Result<()> {
    write.commit().await?;
    // It is in the database, so the answer is yes; whoever follows the database makes up for a
    // failure here.
    if let Err(error) = catch_up_now(app).await {
        tracing::warn!(error = format!("{error:#}"), "cannot read what was just written");
    }
    Ok(())
}

/// A database that was put back, and nobody said so: what this server issued since then means
/// nothing in it.
async fn begin_epoch(app: &App, known: &Known) -> anyhow::Result<()> {
    if let Some(epoch) = app.store.begin_epoch(Some(known)).await? {
        tracing::warn!(
            revision = known.revision,
            epoch,
            "the database was put back; all tokens from before end with its epoch"
        );
    }
    Ok(())
}

/// Takes over signing keys that are new, and lets go of those that are gone.
fn renew_keys(app: &App, keys: KeysRecord) -> anyhow::Result<()> {
    let Some(authority) = keys.authority.as_ref().filter(|_| **app.keys() != keys) else {
        return Ok(());
    };
    let ring = Ring::read_again(&keys.keys, &authority.certificate, Some(&app.issuer.ring()))?;
    app.issuer.replace_ring(ring);
    app.replace_keys(keys);
    Ok(())
}

/// Follows the database. Never returns.
pub async fn follow(app: Arc<App>) {
    let mut news = None;
    loop {
        wait(&app.store, &mut news).await;
        if let Err(error) = catch_up(&app).await {
            tracing::warn!(
                error = format!("{error:#}"),
                "cannot read the database; the last policy stays"
            );
            app.readiness.lose(clock::now());
            news = None;
            tokio::time::sleep(EVERY).await;
        }
    }
}

/// Waits for news, and at most for a second.
async fn wait(store: &Store, news: &mut Option<Box<dyn News>>) {
    if news.is_none() {
        // What happened before somebody listens is read at once.
        *news = store.news().await.ok();
        if news.is_none() {
            // A database that can be read may still have no connection left to listen on.
            tokio::time::sleep(EVERY).await;
        }
        return;
    }
    if let Some(listening) = news {
        match timeout(EVERY, listening.wait()).await {
            Ok(Ok(())) | Err(_) => {}
            Ok(Err(_)) => *news = None,
        }
    }
}
