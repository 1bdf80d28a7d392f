//! Keeping the snapshot as new as the database.
//!
//! SQLite tells a connection whether another one has committed a change, for the price of reading one page that is in memory; five times
//! a second that is nothing, and a changed scope map counts within a fifth of one. When the database cannot be read, or holds what
//! cannot be compiled, the last good snapshot stays and the log says why.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::app::App;
use crate::policy::Policy;
use crate::store::{Observer, Store};

const EVERY: Duration = Duration::from_millis(200);

/// Reads the database into a new snapshot.
///
/// # Errors
///
/// When the database cannot be read or holds what cannot be compiled. The old snapshot stays.
pub async fn refresh(app: &App, store: &Store) -> anyhow::Result<()> {
    let records = store.records().await?;
    let policy = Policy::compile(records, &app.runtime, &app.policy())?;
    app.replace_policy(policy);
    Ok(())
}

/// Refreshes the snapshot whenever another process has changed the database. Never returns.
pub async fn watch(app: Arc<App>, store: Store) {
    let mut seen = None;
    let mut observer = None;
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let version = match look(&store, &mut observer).await {
            Ok(version) => version,
            Err(error) => {
                tracing::warn!(%error, "cannot read the database; the last policy stays");
                (observer, seen) = (None, None);
                continue;
            }
        };
        if seen == Some(version) {
            continue;
        }
        match refresh(&app, &store).await {
            Ok(()) => {
                seen = Some(version);
                tracing::info!(tokens = app.policy().token_count(), "policy read");
            }
            Err(error) => tracing::warn!(%error, "cannot read the policy; the last one stays"),
        }
    }
}

async fn look(store: &Store, observer: &mut Option<Observer>) -> sqlx::Result<i64> {
    let connection = match observer {
        Some(connection) => connection,
        None => observer.insert(store.observer().await?),
    };
    connection.version().await
}
