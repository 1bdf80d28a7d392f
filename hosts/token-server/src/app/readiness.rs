//! Whether the snapshot is new enough to decide by.
//!
//! Requests read a snapshot and not the database, so a database that is gone takes no token away at
//! once. Until `snapshot.serveFor` is over the server is degraded: it issues tokens by what it last
//! read, which may be more than an operator has meanwhile allowed. After that it is not ready and
//! issues none.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use crate::telemetry::metrics;

/// How old a snapshot may be that counts as new, in seconds. The database is asked every second,
/// and may take five to answer.
const FRESH: i64 = 10;
/// A time that has not come.
const NEVER: i64 = i64::MIN;

/// What is known about the snapshot and the database.
#[derive(Debug)]
pub struct Readiness {
    serve_for: i64,
    /// When the database last said that the snapshot is what it holds.
    confirmed: AtomicI64,
    /// Since when the database does not answer.
    gone_since: AtomicI64,
    /// Whether this server's identity providers are not those that are kept.
    has_other_providers: AtomicBool,
}

/// Whether tokens are issued, and from what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// From what the database holds.
    Ready,
    /// From what it held so many seconds ago.
    Degraded {
        /// Since when the database does not answer.
        gone_since: i64,
        /// The age of the snapshot, in seconds.
        snapshot_age: i64,
    },
    /// No more, or not yet.
    Unready {
        /// The age of the snapshot, in seconds. Nothing when none was ever read.
        snapshot_age: Option<i64>,
    },
}

impl Readiness {
    /// Nothing was read yet.
    #[must_use]
    pub fn new(serve_for: Duration) -> Self {
        Self {
            serve_for: i64::try_from(serve_for.as_secs()).unwrap_or(i64::MAX),
            confirmed: AtomicI64::new(NEVER),
            gone_since: AtomicI64::new(NEVER),
            has_other_providers: AtomicBool::new(false),
        }
    }

    /// The database answers, and the snapshot is what it holds. `revision` and `tokens` are for the
    /// metrics.
    pub fn confirm(&self, revision: i64, tokens: usize, now: i64) {
        self.confirmed.store(now, Ordering::Relaxed);
        self.gone_since.store(NEVER, Ordering::Relaxed);
        metrics::snapshot(revision, tokens);
    }

    /// Notes whether this server's identity providers are those that are kept. Nothing is issued to
    /// identities while they are not.
    pub fn note_providers(&self, are_kept: bool) {
        self.has_other_providers.store(!are_kept, Ordering::Relaxed);
    }

    /// Whether this server's identity providers are not those that are kept.
    #[must_use]
    pub fn has_other_providers(&self) -> bool {
        self.has_other_providers.load(Ordering::Relaxed)
    }

    /// The database does not answer, or holds what cannot be compiled.
    pub fn lose(&self, now: i64) {
        // The first time counts.
        let _ = self.gone_since.compare_exchange(NEVER, now, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// The state at a time.
    #[must_use]
    pub fn health(&self, now: i64) -> Health {
        let Some(snapshot_age) = self.snapshot_age(now) else {
            return Health::Unready { snapshot_age: None };
        };
        if snapshot_age > self.serve_for {
            return Health::Unready { snapshot_age: Some(snapshot_age) };
        }
        match self.gone_since.load(Ordering::Relaxed) {
            NEVER if snapshot_age <= FRESH => Health::Ready,
            // Nobody has said that the database is gone, and nobody has looked: that is no better.
            NEVER => {
                Health::Degraded { gone_since: now.saturating_sub(snapshot_age), snapshot_age }
            }
            gone_since => Health::Degraded { gone_since, snapshot_age },
        }
    }

    /// Whether the database did not answer when somebody last asked.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.gone_since.load(Ordering::Relaxed) != NEVER
    }

    /// Whether tokens may be issued. The token endpoint asks before each.
    #[must_use]
    pub fn may_issue(&self, now: i64) -> bool {
        !matches!(self.health(now), Health::Unready { .. })
    }

    /// How long ago the database said that the snapshot is what it holds, in seconds.
    #[must_use]
    pub fn snapshot_age(&self, now: i64) -> Option<i64> {
        match self.confirmed.load(Ordering::Relaxed) {
            NEVER => None,
            confirmed => Some(now.saturating_sub(confirmed).max(0)),
        }
    }
}
