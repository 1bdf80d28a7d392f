//! Keeps the snapshot in step with the database.
//!
//! The database notifies of changes. The server also polls once a second, which costs one row and
//! tells it whether the database answers. When the database cannot be read, or holds a policy that
//! does not compile, the last good snapshot stays and the log says why.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use tokio::time::timeout;

use crate::app::App;
use crate::clock;
use crate::domain::keys::Ring;
use crate::domain::policy::Policy;
use crate::model::password_user::taken;
use crate::store::{
    ChangeListener, History, KeyRecord, Known, SealError, Store, StoredKeys, Vault, Write,
};

/// How long the server waits for a notification before it polls.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// How long a request waits for the snapshot to be as new as the database.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(2);

/// Brings the snapshot up to date with what has been committed.
///
/// # Errors
///
/// When the database cannot be read or holds a policy that does not compile. The old snapshot
/// stays.
pub async fn catch_up(app: &App) -> anyhow::Result<()> {
    // One at a time: the later call sees the result of the earlier one.
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
        warn_of_taken_names(app, &policy, &next);
        app.replace_policy(next);
    }
    let policy = app.policy();
    app.readiness.note_providers(app.has_kept_providers(&policy));
    app.readiness.confirm(policy.revision(), policy.tokens().len(), clock::now());
    Ok(())
}

/// The same for callers that need the current state: fails at once when the database is known to be
/// unreachable.
///
/// # Errors
///
/// When the database does not answer in time. [`follow`] notices when it is back.
pub(crate) async fn catch_up_now(app: &App) -> anyhow::Result<()> {
    anyhow::ensure!(!app.readiness.is_gone(), "the database does not answer");
    let caught_up = timeout(CATCH_UP_TIMEOUT, catch_up(app)).await;
    caught_up.unwrap_or_else(|_| bail!("the database does not answer in time"))
}

/// The database does not answer; the text is for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseGone(pub String);

/// Whether the database holds a newer revision than this snapshot, so that credentials are checked
/// again: valid ones, which may have ended, and unknown ones, which another process may have just
/// created. Reads for unknown credentials are [rate-limited](App::second_looks) over all clients.
///
/// # Errors
///
/// [`DatabaseGone`] for valid credentials when the database does not answer.
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

/// Commits a write and brings this server's snapshot up to date at once.
///
/// # Errors
///
/// When the database cannot be written.
pub async fn commit(app: &App, write: Write) -> sqlx::Result<()> {
    write.commit().await?;
    // The write is committed, so the answer is success; [`follow`] makes up for a failure here.
    if let Err(error) = catch_up_now(app).await {
        tracing::warn!(error = format!("{error:#}"), "cannot read what was just written");
    }
    Ok(())
}

/// Warns of scope-map tokens that were not there before, under a user name whose password would be
/// a token: at the start, and when a backup brings one back.
fn warn_of_taken_names(app: &App, former: &Policy, next: &Policy) {
    for name in app.reserved_names().password_users() {
        if let (Some(token), None) = (next.token(name), former.token(name)) {
            tracing::warn!("{}", taken(&token.name));
        }
    }
}

/// Begins an epoch after an unannounced restore of the database: tokens that this server issued
/// since the backup are not valid in it.
async fn begin_epoch(app: &App, known: &Known) -> anyhow::Result<()> {
    if let Some(epoch) = app.store.begin_epoch(Some(known)).await? {
        tracing::warn!(
            revision = known.revision,
            epoch,
            "the database was restored; all older tokens end with its epoch"
        );
    }
    Ok(())
}

/// Adds new signing keys to the ring, and drops deleted ones.
fn renew_keys(app: &App, stored: StoredKeys) -> anyhow::Result<()> {
    let records = stored.records();
    let Some(authority) = records.authority.as_ref().filter(|_| **app.keys() != stored) else {
        return Ok(());
    };
    let (former, vault) = (app.issuer.ring(), app.store.vault());
    let read = |key: &KeyRecord| readable(key, &former, vault).transpose();
    let keys: Vec<_> = records.keys.iter().filter_map(read).collect::<Result<_, _>>()?;
    warn_of_other_keys(&stored, vault);
    let ring = Ring::read_again(&keys, &authority.certificate, Some(&former))?;
    app.issuer.replace_ring(ring);
    app.replace_keys(stored);
    Ok(())
}

/// A stored signing key, decrypted unless the ring has it already: keys that were only encrypted
/// again need no decryption. `None` for one that is encrypted with a key that is not here; its
/// tokens are refused.
fn readable(
    stored: &KeyRecord,
    former: &Ring,
    vault: &Vault,
) -> Result<Option<KeyRecord>, SealError> {
    if former.has(stored) {
        return Ok(Some(stored.clone()));
    }
    match vault.open_key(stored) {
        Err(SealError::UnknownKey(id)) => {
            tracing::error!(
                kid = stored.kid,
                secrets_key = id,
                "a signing key is encrypted with another key than secrets.key; this server neither signs with it nor takes its tokens: set secrets.key or secrets.previousKeys and restart it"
            );
            Ok(None)
        }
        opened => opened.map(Some),
    }
}

fn warn_of_other_keys(stored: &StoredKeys, vault: &Vault) {
    let unknown = stored.sealed_with().into_iter().find(|id| !vault.has(id));
    if let Some(id) = unknown {
        tracing::warn!(
            secrets_key = id,
            "the signing keys were encrypted with another key; this server goes on with those in its memory: set secrets.key to the new key, for its next start and before the next signing key is made"
        );
    }
}

/// Follows the database. Never returns.
pub async fn follow(app: Arc<App>) {
    let mut listener = None;
    loop {
        wait(&app.store, &mut listener).await;
        if let Err(error) = catch_up(&app).await {
            tracing::warn!(
                error = format!("{error:#}"),
                "cannot read the database; serving the last policy"
            );
            app.readiness.lose(clock::now());
            listener = None;
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

/// Waits for a notification, at most for [`POLL_INTERVAL`].
async fn wait(store: &Store, listener: &mut Option<Box<dyn ChangeListener>>) {
    if listener.is_none() {
        // Changes from before the listener connected are read at once.
        *listener = store.change_listener().await.ok();
        if listener.is_none() {
            // A database that can be read may still have no connection free for a listener.
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        return;
    }
    if let Some(open) = listener {
        match timeout(POLL_INTERVAL, open.wait()).await {
            Ok(Ok(())) | Err(_) => {}
            Ok(Err(_)) => *listener = None,
        }
    }
}
