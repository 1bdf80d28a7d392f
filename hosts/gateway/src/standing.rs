//! Whether whoever a token is for still stands where it stood when the token was issued.
//!
//! A gateway knows nothing of that, or which tokens have ended ([`revocation`](crate::revocation)),
//! or the whole policy ([`bundle`](crate::bundle)): as its configuration says. What it should know
//! and does not know new enough keeps it from deciding.

use std::sync::Arc;

use scopegate_api::bundle::EdgePolicy;
use scopegate_api::claims::AccessClaims;

use crate::bundle::Bundles;
use crate::revocation::Revoked;

/// What is known of principals besides their tokens.
#[derive(Debug)]
pub enum Known {
    /// Nothing: a token is good until it expires.
    Nothing,
    /// Which tokens have ended.
    Revoked(Revoked),
    /// Who there is, and what they may do now.
    Policy(Bundles),
}

/// How whoever a token is for stands.
#[derive(Debug)]
pub enum Standing {
    /// The token has ended.
    Ended,
    /// The token is good, and says what it opens.
    Good,
    /// The token is good, and opens what its holder may still have.
    Under(Arc<EdgePolicy>),
}

/// What is known is too old to decide by; the text says of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooOld(pub &'static str);

impl Known {
    /// How whoever a verified token is for stands at a time, in seconds since 1970.
    ///
    /// # Errors
    ///
    /// [`TooOld`]
    pub fn standing(&self, claims: &AccessClaims, now: u64) -> Result<Standing, TooOld> {
        Ok(match self {
            Self::Nothing => Standing::Good,
            Self::Revoked(revoked) if !revoked.is_current(now) => return Err(TooOld::REVOCATIONS),
            Self::Revoked(revoked) if revoked.allows(claims) => Standing::Good,
            Self::Revoked(_) => Standing::Ended,
            Self::Policy(bundles) => {
                let policy = bundles.current(now).ok_or(TooOld::POLICY)?;
                let is_there = policy.holder(claims).is_some();
                if is_there { Standing::Under(policy) } else { Standing::Ended }
            }
        })
    }

    /// Whether what is known is new enough to decide by.
    ///
    /// # Errors
    ///
    /// [`TooOld`]
    pub fn check(&self, now: u64) -> Result<(), TooOld> {
        match self {
            Self::Revoked(revoked) if !revoked.is_current(now) => Err(TooOld::REVOCATIONS),
            Self::Policy(bundles) => bundles.current(now).map(drop).ok_or(TooOld::POLICY),
            _ => Ok(()),
        }
    }
}

impl TooOld {
    const REVOCATIONS: Self = Self("the revocations are too old to decide by");
    const POLICY: Self = Self("the policy is too old to decide by");
}
