//! Which tokens are not good any more, and for how long what is known may be used.

use scopegate_api::claims::AccessClaims;
use scopegate_api::generations::{Generations, Revoked};

/// What the feed has said so far. Each worker thread of Envoy has its own.
#[derive(Clone, Debug, Default)]
pub struct Feed {
    revoked: Revoked,
    heard_at: Option<u64>,
}

impl Feed {
    /// The last change that is known.
    #[must_use]
    pub fn revision(&self) -> i64 {
        self.revoked.revision()
    }

    /// Takes an answer of the feed. One that is none changes nothing, nor does one of an epoch that
    /// was left.
    pub fn hear(&mut self, body: &[u8], now: u64) -> bool {
        let Ok(news) = serde_json::from_slice::<Generations>(body) else { return false };
        if !self.revoked.hear(news) {
            return false;
        }
        self.heard_at = Some(now);
        true
    }

    /// Whether what is known is new enough to decide by. A clock that was put back makes it as old
    /// as one that was put forward.
    #[must_use]
    pub fn is_current(&self, now: u64, serve_for: u64) -> bool {
        self.heard_at.is_some_and(|heard_at| now.abs_diff(heard_at) <= serve_for)
    }

    /// Whether a token is still good.
    #[must_use]
    pub fn allows(&self, claims: &AccessClaims) -> bool {
        self.revoked.allows(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_known_before_the_first_answer() {
        let mut feed = Feed::default();
        assert!(!feed.is_current(100, 60));
        assert!(!feed.hear(b"{}", 100) && !feed.is_current(100, 60));
        assert!(feed.hear(br#"{"revision": 5, "isEverything": true, "changed": []}"#, 100));
        assert_eq!(feed.revision(), 5);
        assert!(feed.is_current(160, 60) && !feed.is_current(161, 60));
        assert!(feed.is_current(99, 60) && !feed.is_current(39, 60));
        assert!(!feed.hear(b"<html>", 150) && !feed.is_current(161, 60));
    }
}
