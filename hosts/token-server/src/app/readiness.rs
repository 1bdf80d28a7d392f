//! Whether the snapshot is recent enough for decisions.
//!
//! Requests read a snapshot and not the database, so tokens are still issued when the database is
//! unreachable. Until `snapshot.serveFor` has passed the server is degraded: it issues tokens from
//! its last snapshot, which may grant more than an operator has meanwhile allowed. After that it is
//! not ready and issues no tokens. Requests to a registry, which `/authz` decides about, go on for
//! a minute, as at every edge that hears nothing more of what was revoked.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use crate::telemetry::metrics;

/// The maximum age of a fresh snapshot, in seconds. The database is polled every second, and may
/// take five to answer.
const MAX_FRESH_AGE: i64 = 10;
/// The maximum age of a snapshot that requests to a registry are decided by, in seconds: that of
/// what the other edges know. A registry asks no other server whether a token was revoked.
const MAX_EDGE_AGE: i64 = 60;
/// The time of an event that has not happened.
const NEVER: i64 = i64::MIN;

/// What is known about the snapshot and the database.
#[derive(Debug)]
pub struct Readiness {
    serve_for: i64,
    /// When the database last confirmed the snapshot.
    confirmed: AtomicI64,
    /// Since when the database does not answer.
    gone_since: AtomicI64,
    /// Whether this server's identity providers differ from the stored ones.
    has_other_providers: AtomicBool,
}

/// Whether tokens are issued, and from what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// From what the database holds.
    Ready,
    /// From the last snapshot, while the database does not answer.
    Degraded {
        /// Since when the database does not answer.
        gone_since: i64,
        /// The age of the snapshot, in seconds.
        snapshot_age: i64,
    },
    /// Not issued: the snapshot is stale or was never read.
    Unready {
        /// The age of the snapshot, in seconds; `None` before the first read.
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

    /// Records whether this server's identity providers are the stored ones. While they are not, no
    /// tokens are issued to identities.
    pub fn note_providers(&self, are_kept: bool) {
        self.has_other_providers.store(!are_kept, Ordering::Relaxed);
    }

    /// Whether this server's identity providers differ from the stored ones.
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
            NEVER if snapshot_age <= MAX_FRESH_AGE => Health::Ready,
            // No read has failed, but none has succeeded either: that is no better.
            NEVER => {
                Health::Degraded { gone_since: now.saturating_sub(snapshot_age), snapshot_age }
            }
            gone_since => Health::Degraded { gone_since, snapshot_age },
        }
    }

    /// Whether the last read of the database failed.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.gone_since.load(Ordering::Relaxed) != NEVER
    }

    /// Whether tokens may be issued. The token endpoint checks this for each request.
    #[must_use]
    pub fn may_issue(&self, now: i64) -> bool {
        !matches!(self.health(now), Health::Unready { .. })
    }

    /// Whether requests to a registry may be decided: the database confirmed the snapshot within a
    /// minute. A clock that was set back makes it as old as one that was set forward.
    #[must_use]
    pub fn may_admit(&self, now: i64) -> bool {
        let age = now.saturating_sub(self.confirmed.load(Ordering::Relaxed));
        self.may_issue(now) && age.saturating_abs() <= MAX_EDGE_AGE
    }

    /// How long ago the database confirmed the snapshot, in seconds.
    #[must_use]
    pub fn snapshot_age(&self, now: i64) -> Option<i64> {
        match self.confirmed.load(Ordering::Relaxed) {
            NEVER => None,
            confirmed => Some(now.saturating_sub(confirmed).max(0)),
        }
    }
}
