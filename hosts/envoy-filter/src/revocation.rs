//! What the revocation feed has said, for one worker thread.
//!
//! What that says of a token is the rule of [`scopegate_edge::revocation`].

use scopegate_edge::revocation::{Revocations, read};
use scopegate_edge::{Freshness, StatusSource};

/// What the feed has said so far. Each worker thread of Envoy has its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Feed {
    known: Revocations,
    updated_at: Option<u64>,
}

impl Feed {
    /// What to ask the feed with.
    #[must_use]
    pub(crate) fn revision(&self) -> i64 {
        self.known.revision()
    }

    /// The epoch of what is known.
    #[must_use]
    pub(crate) fn epoch(&self) -> Option<&str> {
        self.known.epoch()
    }

    /// Takes an answer of the feed; tells whether it was taken.
    pub(crate) fn ingest(&mut self, body: &[u8], now: u64) -> bool {
        let is_taken = read(body).is_some_and(|update| self.known.ingest(update).is_ok());
        if is_taken {
            self.updated_at = Some(now);
        }
        is_taken
    }

    /// What the rules read: what is known is good enough for `max_age` seconds.
    #[must_use]
    pub(crate) fn source(&self, max_age: u64) -> StatusSource<'_> {
        let freshness = Freshness { updated_at: self.updated_at, max_age };
        StatusSource::Revocations(&self.known, freshness)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_taken_is_fresh() {
        let mut feed = Feed::default();
        let is_current = |feed: &Feed, now| feed.source(60).check(now).is_ok();
        assert!(!is_current(&feed, 100));
        assert!(!feed.ingest(b"{}", 100) && !is_current(&feed, 100));
        assert!(feed.ingest(br#"{"revision": 5, "isEverything": true, "changed": []}"#, 100));
        assert_eq!(feed.revision(), 5);
        assert!(is_current(&feed, 160) && !is_current(&feed, 161));
        assert!(is_current(&feed, 99) && !is_current(&feed, 39));
        assert!(!feed.ingest(b"<html>", 150) && !is_current(&feed, 161));
    }
}
