//! Networks of recent successful logins, stored in the database, so that service principals stay
//! known after a restart of the server.
//!
//! New entries are saved every minute and at shutdown. A lost entry costs its client one more login
//! during a flood, and nothing else.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::clock;
use crate::domain::guard::familiar::{KNOWN_FOR, MAX_PAIRS};

/// How often new entries are saved.
const SAVE_INTERVAL: Duration = Duration::from_secs(60);

/// Loads the stored entries.
///
/// # Errors
///
/// When the database cannot be read.
pub async fn load(app: &App) -> sqlx::Result<()> {
    let limit = i64::try_from(MAX_PAIRS).unwrap_or(i64::MAX);
    let since = clock::now().saturating_sub(KNOWN_FOR);
    let known = app.store.known_networks(since, limit).await?;
    for known in &known {
        app.guard.peers.restore(known.network);
    }
    app.guard.familiar.load(known);
    Ok(())
}

/// Saves the new entries.
///
/// # Errors
///
/// When the database cannot be written. The next call tries the same entries again.
pub async fn save(app: &App) -> sqlx::Result<()> {
    let new = app.guard.familiar.unsaved();
    if new.is_empty() {
        return Ok(());
    }
    let forget_before = clock::now().saturating_sub(KNOWN_FOR);
    app.store.save_known_networks(&new, forget_before).await?;
    app.guard.familiar.mark_saved(&new);
    Ok(())
}

/// Saves new entries every [`SAVE_INTERVAL`]. Never returns.
pub async fn run(app: Arc<App>) {
    loop {
        tokio::time::sleep(SAVE_INTERVAL).await;
        if let Err(error) = save(&app).await {
            tracing::warn!(%error, "cannot save the known networks");
        }
    }
}
