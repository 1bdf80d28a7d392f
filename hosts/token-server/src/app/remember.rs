//! Where service principals were right lately, kept in the database, so that a server that is
//! started anew does not take all of them for strangers.
//!
//! It is written a minute after it came about, and when the server ends. What is lost costs a login
//! more in a flood, and nothing else.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::clock;
use crate::domain::guard::familiar::{KNOWN_FOR, MAX_PAIRS};

/// How often it is written.
const EVERY: Duration = Duration::from_secs(60);

/// Reads what was kept.
///
/// # Errors
///
/// When the database cannot be read.
pub async fn recall(app: &App) -> sqlx::Result<()> {
    let most = i64::try_from(MAX_PAIRS).unwrap_or(i64::MAX);
    let since = clock::now().saturating_sub(KNOWN_FOR);
    let known = app.store.known_networks(since, most).await?;
    for known in &known {
        app.guard.peers.recall(known.network);
    }
    app.guard.familiar.recall(known);
    Ok(())
}

/// Writes what is new.
///
/// # Errors
///
/// When the database cannot be written. It is tried again with what is new then.
pub async fn keep(app: &App) -> sqlx::Result<()> {
    let new = app.guard.familiar.to_keep();
    if new.is_empty() {
        return Ok(());
    }
    let forget_before = clock::now().saturating_sub(KNOWN_FOR);
    app.store.keep_known_networks(&new, forget_before).await?;
    app.guard.familiar.kept(&new);
    Ok(())
}

/// Writes what is new from time to time. Never returns.
pub async fn keep_up(app: Arc<App>) {
    loop {
        tokio::time::sleep(EVERY).await;
        if let Err(error) = keep(&app).await {
            tracing::warn!(%error, "where clients were right is not written down");
        }
    }
}
