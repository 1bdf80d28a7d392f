//! What the revocation feed has said, kept between threads.
//!
//! The token server is asked every second for what is new; what that says of a token is the rule of
//! [`scopegate_edge::revocation`].
//!
//! Left out: anything that survives a restart. The first answer of the feed is everything, and its
//! epoch the one that is held; which epochs were left is known until then.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use scopegate_api::generations::Generations;
use scopegate_edge::Freshness;
use scopegate_edge::revocation::{FeedError, Revocations};

use crate::feed::UpdatedAt;

/// What the feed has said so far.
#[derive(Debug)]
pub(crate) struct RevocationFeed {
    known: ArcSwap<Revocations>,
    updated_at: UpdatedAt,
}

impl RevocationFeed {
    /// Nothing is known yet, and so nothing is let through.
    #[must_use]
    pub(crate) fn new(serve_for: Duration) -> Self {
        Self { known: ArcSwap::default(), updated_at: UpdatedAt::never(serve_for) }
    }

    /// Takes an answer of the feed.
    ///
    /// # Errors
    ///
    /// [`FeedError`]: what is of an epoch that was left, or older than what is known.
    pub(crate) fn ingest(&self, update: Generations, now: u64) -> Result<(), FeedError> {
        // Most answers say that nothing is new.
        if !self.known.load().has(&update) {
            let mut known = Revocations::clone(&self.known.load());
            let taken = known.ingest(update);
            self.known.store(known.into());
            taken?;
        }
        self.updated_at.note(now);
        Ok(())
    }

    /// What to ask the feed with.
    #[must_use]
    pub(crate) fn revision(&self) -> i64 {
        self.known.load().revision()
    }

    /// The epoch of what is known.
    #[must_use]
    pub(crate) fn epoch(&self) -> Option<String> {
        self.known.load().epoch().map(ToOwned::to_owned)
    }

    /// What is known, and how fresh it is.
    #[must_use]
    pub(crate) fn known(&self) -> (Arc<Revocations>, Freshness) {
        (self.known.load_full(), self.updated_at.freshness())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_taken_is_fresh() {
        let feed = RevocationFeed::new(Duration::from_secs(60));
        let update = |epoch: &str, revision, is_everything| Generations {
            version: 2,
            epoch: Some(epoch.to_owned()),
            revision,
            is_everything,
            changed: Vec::new(),
        };
        let is_current = |now| feed.known().1.is_current(now);
        assert!(!is_current(0));
        for (update, taken, now, until) in [
            (update("a", 5, false), false, 100, None),
            (update("a", 5, true), true, 100, Some(160)),
            (update("a", 4, true), false, 120, Some(160)),
            (update("a", 5, false), true, 130, Some(190)),
            (update("b", 6, false), false, 150, Some(190)),
            (update("b", 1, true), true, 160, Some(220)),
            (update("a", 9, true), false, 200, Some(220)),
        ] {
            assert_eq!(feed.ingest(update, now).is_ok(), taken, "{now}");
            assert_eq!(is_current(until.unwrap_or(now)), until.is_some(), "{now}");
            assert!(until.is_none_or(|until| !is_current(until + 1)), "{now}");
        }
    }
}
