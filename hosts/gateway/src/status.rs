//! Where this gateway knows the status of tokens from: nowhere, the revocation feed
//! ([`revocation`](crate::revocation)), or the whole policy ([`bundle`](crate::bundle)), as its
//! configuration says.
//!
//! Left out: what a status is, and when what is known is too old ([`scopegate_edge::status`]).

use std::sync::Arc;

use scopegate_edge::policy::Policy;
use scopegate_edge::revocation::Revocations;
use scopegate_edge::{Freshness, StatusSource};

use crate::bundle::Bundles;
use crate::revocation::RevocationFeed;

/// Where the status of tokens is known from.
#[derive(Debug)]
pub(crate) enum Status {
    /// Nowhere.
    Expiry,
    /// Which tokens were revoked.
    Revocations(RevocationFeed),
    /// Who there is, and what they may do now.
    Policy(Bundles),
}

/// What is known at the time of a request.
#[derive(Debug)]
pub(crate) enum Snapshot {
    /// Nothing.
    Expiry,
    /// What the revocation feed has said.
    Revocations(Arc<Revocations>, Freshness),
    /// The policy.
    Policy(Option<Arc<Policy>>, Freshness),
}

impl Status {
    /// What is known now. It stays while a request is decided about.
    #[must_use]
    pub(crate) fn snapshot(&self) -> Snapshot {
        match self {
            Self::Expiry => Snapshot::Expiry,
            Self::Revocations(feed) => {
                let (known, freshness) = feed.known();
                Snapshot::Revocations(known, freshness)
            }
            Self::Policy(bundles) => {
                let (held, freshness) = bundles.held();
                Snapshot::Policy(held, freshness)
            }
        }
    }
}

impl Snapshot {
    /// What the rules read.
    #[must_use]
    pub(crate) fn source(&self) -> StatusSource<'_> {
        match self {
            Self::Expiry => StatusSource::Expiry,
            Self::Revocations(known, freshness) => StatusSource::Revocations(known, *freshness),
            Self::Policy(held, freshness) => StatusSource::Policy(held.as_deref(), *freshness),
        }
    }
}
