//! Whether a token is active, and how fresh the knowledge of that has to be.
//!
//! The words are those of RFC 7662 and of the token status list. A host knows nothing of principals
//! but their tokens, or which tokens were revoked ([`revocation`](crate::revocation)), or the whole
//! policy ([`policy`](crate::policy)). What it should know and does not know freshly enough keeps
//! it from deciding: a feed that is silent opens nothing.
//!
//! Left out: how a feed is fetched, and how what it said is kept between threads.

use core::fmt;

use scopegate_api::claims::AccessClaims;

use crate::policy::{Holder, Policy};
use crate::revocation::Revocations;

/// Where the status of a token is known from.
#[derive(Clone, Copy, Debug)]
pub enum StatusSource<'s> {
    /// Nowhere: a token is active until it expires.
    Expiry,
    /// From the revocation feed.
    Revocations(&'s Revocations, Freshness),
    /// From the policy bundle, where one is held.
    Policy(Option<&'s Policy>, Freshness),
}

/// The status of a token.
#[derive(Clone, Copy, Debug)]
pub enum TokenStatus<'s> {
    /// It opens what it says.
    Active,
    /// It opens nothing.
    Revoked,
    /// It opens what it says, as far as its holder may have it now.
    Restricted(Holder<'s>),
}

/// What is too old to decide by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    /// The keys: none is known.
    Keys,
    /// What the revocation feed said.
    Revocations,
    /// The policy bundle.
    Policy,
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keys => "signing keys stale",
            Self::Revocations => "revocation feed stale",
            Self::Policy => "policy bundle stale",
        })
    }
}

impl core::error::Error for Stale {}

/// When something was confirmed last, and for how long that is good enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// In seconds since 1970; `None` for never.
    pub updated_at: Option<u64>,
    /// In seconds.
    pub max_age: u64,
}

impl Freshness {
    /// Whether it is good enough at a time. A clock that was set back makes the status as old as
    /// one that was set forward.
    ///
    /// ```
    /// # use scopegate_edge::status::Freshness;
    /// let freshness = Freshness { updated_at: Some(100), max_age: 60 };
    /// assert!(freshness.is_current(160) && !freshness.is_current(161) && !freshness.is_current(39));
    /// ```
    #[must_use]
    pub fn is_current(self, now: u64) -> bool {
        self.updated_at.is_some_and(|updated_at| now.abs_diff(updated_at) <= self.max_age)
    }
}

impl<'s> StatusSource<'s> {
    /// Checks that what is known is fresh enough to decide by.
    ///
    /// # Errors
    ///
    /// [`Stale`]
    pub fn check(&self, now: u64) -> Result<(), Stale> {
        match self {
            Self::Expiry => Ok(()),
            Self::Revocations(_, freshness) if freshness.is_current(now) => Ok(()),
            Self::Revocations(..) => Err(Stale::Revocations),
            Self::Policy(policy, freshness) => {
                let is_valid = policy.is_some_and(|policy| policy.is_in_time(now));
                if is_valid && freshness.is_current(now) { Ok(()) } else { Err(Stale::Policy) }
            }
        }
    }

    /// The status of a token whose claims were accepted.
    ///
    /// # Errors
    ///
    /// [`Stale`]
    pub fn status(&self, claims: &AccessClaims, now: u64) -> Result<TokenStatus<'s>, Stale> {
        self.check(now)?;
        Ok(match self {
            Self::Expiry => TokenStatus::Active,
            Self::Revocations(revocations, _) if revocations.has_revoked(claims) => {
                TokenStatus::Revoked
            }
            Self::Revocations(..) => TokenStatus::Active,
            Self::Policy(policy, _) => policy
                .and_then(|policy| policy.holder(claims))
                .map_or(TokenStatus::Revoked, TokenStatus::Restricted),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freshness() {
        let never = Freshness { updated_at: None, max_age: u64::MAX };
        assert!(!never.is_current(0) && !never.is_current(u64::MAX));
        let freshness = Freshness { updated_at: Some(100), max_age: 60 };
        for (now, is_current) in
            [(100, true), (40, true), (39, false), (160, true), (161, false), (u64::MAX, false)]
        {
            assert_eq!(freshness.is_current(now), is_current, "{now}");
        }
    }
}
