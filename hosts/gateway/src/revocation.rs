//! Which tokens are not good any more.
//!
//! The token server lists principals whose tokens of an older generation have ended; it is asked
//! every second for what is new. A token says whom it is for and of which generation it is. One
//! that does not say so is refused where revocations are known: it could not be revoked.
//!
//! Left out: anything that survives a restart. The first answer of the feed is everything, and its
//! epoch the one that is held; which epochs were left is known until then.

use std::time::Duration;

use arc_swap::ArcSwap;
use scopegate_api::claims::AccessClaims;
use scopegate_api::generations::{Generations, Revoked as Known};

use crate::feed::Heard;

/// What the feed has said so far.
#[derive(Debug)]
pub struct Revoked {
    known: ArcSwap<Known>,
    heard: Heard,
}

impl Revoked {
    /// Nothing is known yet, and so nothing is let through.
    #[must_use]
    pub fn new(serve_for: Duration) -> Self {
        Self { known: ArcSwap::default(), heard: Heard::never(serve_for) }
    }

    /// Takes what the feed says; tells whether it was taken. What is of an epoch that was left, or
    /// older than what is known, is not.
    pub fn hear(&self, news: Generations, now: u64) -> bool {
        // Most answers say that nothing is new.
        if !self.known.load().has(&news) {
            let mut known = Known::clone(&self.known.load());
            let is_taken = known.hear(news);
            self.known.store(known.into());
            if !is_taken {
                return false;
            }
        }
        self.heard.note(now);
        true
    }

    /// The last change that is known.
    #[must_use]
    pub fn revision(&self) -> i64 {
        self.known.load().revision()
    }

    /// Whether what is known is new enough to decide by.
    #[must_use]
    pub fn is_current(&self, now: u64) -> bool {
        self.heard.is_current(now)
    }

    /// Whether a token is still good.
    #[must_use]
    pub fn allows(&self, claims: &AccessClaims) -> bool {
        self.known.load().allows(claims)
    }
}

#[cfg(test)]
mod tests {
    use scopegate_api::claims::PrincipalKind;
    use scopegate_api::generations::Generation;

    use super::*;

    fn news(revision: i64, is_everything: bool, changed: &[(Option<&str>, i64)]) -> Generations {
        let changed = changed.iter().map(|(sub, generation)| Generation {
            principal: PrincipalKind::Token,
            provider: None,
            sub: sub.map(ToOwned::to_owned),
            generation: *generation,
        });
        Generations { version: 1, epoch: None, revision, is_everything, changed: changed.collect() }
    }

    fn token(sub: &str, generation: Option<u64>) -> AccessClaims {
        let text = format!(
            r#"{{"jti":"j","sub":"{sub}","nbf":1,"exp":2,"iat":1,"iss":"i","aud":"r","version":"1.0","rid":"0","access":[],"roles":[],
                "grant_type":"access_token","principal":"token"}}"#
        );
        AccessClaims { generation, ..serde_json::from_str(&text).unwrap() }
    }

    #[test]
    fn generations() {
        let revoked = Revoked::new(Duration::from_secs(60));
        revoked.hear(news(5, true, &[(Some("reader"), 3)]), 0);
        let allows = |sub: &str, generation| revoked.allows(&token(sub, generation));
        assert!(allows("Reader", Some(3)) && allows("READER", Some(4)) && allows("other", Some(0)));
        assert!(!allows("Reader", Some(2)) && !allows("reader", None));
        revoked.hear(news(7, false, &[(Some("other"), 7)]), 0);
        assert!(!allows("other", Some(6)) && !allows("reader", Some(2)));
        revoked.hear(news(8, false, &[(None, 8)]), 0);
        assert!(!allows("anybody", Some(7)) && allows("anybody", Some(8)));
        revoked.hear(news(9, true, &[]), 0);
        assert!(allows("anybody", Some(0)));
        assert_eq!(revoked.revision(), 9);
    }

    /// A token without a kind of principal could not be revoked.
    #[test]
    fn tokens_of_others() {
        let claims = AccessClaims { principal: None, ..token("reader", Some(9)) };
        assert!(!Revoked::new(Duration::ZERO).allows(&claims));
    }
}
