//! Bounds the requests to identity providers that unauthenticated clients cause with refresh
//! tokens.
//!
//! A refresh token at `/oauth2/exchange` needs no other credentials, and the provider counts each
//! refused one against this server, which is its client. So a refused token is not tried again for
//! a while, and a network with [`REFUSALS`] refused tokens waits until the first refusal is
//! [`REFUSAL_LIFETIME`] old. Accepted tokens cost nothing.
//!
//! Left out: the provider's own limits, and other servers of the same registry, which count for
//! themselves.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use scopegate_host::networks::network;
use scopegate_host::rate::TooMany;
use sha2::{Digest as _, Sha256};

/// How many tokens of one network may be refused.
pub const REFUSALS: usize = 20;
/// How long a refusal counts.
pub(crate) const REFUSAL_LIFETIME: Duration = Duration::from_secs(5 * 60);
/// The maximum number of stored refused tokens, and of networks. Networks beyond it share one
/// count.
const MAX_ENTRIES: usize = 8192;

type TokenDigest = [u8; 32];

/// Why a token is not sent to its provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedemptionError {
    /// The provider has just refused this token.
    RefusedBefore,
    /// The provider has refused too many tokens of this network.
    TooMany(TooMany),
}

/// Recent refusals.
#[derive(Debug, Default)]
pub struct Redemptions(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// When each token was refused.
    tokens: HashMap<TokenDigest, Instant>,
    /// When each network sent a token that was refused, or is still pending. `None` counts the
    /// networks beyond the maximum.
    networks: HashMap<Option<IpAddr>, VecDeque<Instant>>,
}

/// A pending request to a provider. Dropping it counts as a refusal.
#[derive(Debug)]
pub struct Redemption<'r> {
    known: &'r Redemptions,
    token: TokenDigest,
    slot: Option<IpAddr>,
    began: Instant,
}

impl Redemptions {
    /// Begins a request about a token.
    ///
    /// # Errors
    ///
    /// [`RedemptionError`] for a token that the provider has just refused, and for a network with
    /// too many refusals.
    pub fn begin(
        &self,
        refresh_token: &str,
        address: IpAddr,
        now: Instant,
    ) -> Result<Redemption<'_>, RedemptionError> {
        let token = TokenDigest::from(Sha256::digest(refresh_token));
        let mut known = self.lock();
        if known.tokens.get(&token).is_some_and(|at| is_recent(*at, now)) {
            return Err(RedemptionError::RefusedBefore);
        }
        let slot = known.slot(network(address), now);
        let refusals = known.networks.entry(slot).or_default();
        refusals.retain(|at| is_recent(*at, now));
        if refusals.len() >= REFUSALS {
            let oldest = refusals.front().map_or(Duration::ZERO, |at| now.duration_since(*at));
            let retry_after = REFUSAL_LIFETIME.saturating_sub(oldest).as_secs().max(1);
            return Err(RedemptionError::TooMany(TooMany { retry_after }));
        }
        refusals.push_back(now);
        drop(known);
        Ok(Redemption { known: self, token, slot, began: now })
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Redemption<'_> {
    /// Records the provider's answer.
    pub fn end(self, is_accepted: bool) {
        let mut known = self.known.lock();
        if !is_accepted {
            known.insert(self.token, self.began);
            return;
        }
        if let Some(refusals) = known.networks.get_mut(&self.slot)
            && let Some(index) = refusals.iter().position(|at| *at == self.began)
        {
            refusals.remove(index);
        }
    }
}

impl Known {
    fn slot(&mut self, network: IpAddr, now: Instant) -> Option<IpAddr> {
        if !self.networks.contains_key(&Some(network)) && self.networks.len() >= MAX_ENTRIES {
            self.networks.retain(|_, refusals| refusals.iter().any(|at| is_recent(*at, now)));
        }
        let has_room =
            self.networks.contains_key(&Some(network)) || self.networks.len() < MAX_ENTRIES;
        has_room.then_some(network)
    }

    fn insert(&mut self, token: TokenDigest, now: Instant) {
        if self.tokens.len() >= MAX_ENTRIES {
            self.tokens.retain(|_, at| is_recent(*at, now));
        }
        // The networks' limits bound how fast this fills, so a dropped entry does not matter.
        if self.tokens.len() < MAX_ENTRIES {
            self.tokens.insert(token, now);
        }
    }
}

fn is_recent(at: Instant, now: Instant) -> bool {
    now.saturating_duration_since(at) < REFUSAL_LIFETIME
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the outcome of one attempt, which the provider accepts or refuses.
    #[track_caller]
    fn attempt(
        known: &Redemptions,
        token: &str,
        from: &str,
        at: Instant,
        accepts: bool,
    ) -> &'static str {
        match known.begin(token, from.parse().unwrap(), at) {
            Ok(redemption) => {
                redemption.end(accepts);
                "asked"
            }
            Err(RedemptionError::RefusedBefore) => "known",
            Err(RedemptionError::TooMany(_)) => "too many",
        }
    }

    #[test]
    fn strangers_cannot_make_us_ask_for_ever() {
        let (known, start) = (Redemptions::default(), Instant::now());
        let later = |seconds| start + Duration::from_secs(seconds);
        let (one, other) = ("203.0.113.1", "203.0.113.2");
        assert_eq!(attempt(&known, "t", one, start, false), "asked");
        assert_eq!(attempt(&known, "t", one, later(299), false), "known");
        assert_eq!(attempt(&known, "t", other, later(299), false), "known", "from anywhere");
        for number in 1..REFUSALS {
            assert_eq!(attempt(&known, &format!("t{number}"), one, later(1), false), "asked");
        }
        assert_eq!(attempt(&known, "another", one, later(1), true), "too many");
        assert_eq!(attempt(&known, "another", other, later(1), true), "asked");
        assert_eq!(attempt(&known, "another", one, later(300), true), "asked");
        assert_eq!(attempt(&known, "t", one, later(301), false), "asked");
    }

    #[test]
    fn accepted_tokens_cost_nothing() {
        let (known, now) = (Redemptions::default(), Instant::now());
        for number in 0..10 * REFUSALS {
            let token = format!("t{}", number % 3);
            assert_eq!(attempt(&known, &token, "2001:db8::1", now, true), "asked");
        }
        // Concurrent attempts are bounded by the same limit.
        let from = "2001:db8::2".parse().unwrap();
        let open: Vec<_> = (0..REFUSALS)
            .map(|number| known.begin(&format!("u{number}"), from, now).unwrap())
            .collect();
        assert!(matches!(known.begin("v", from, now), Err(RedemptionError::TooMany(_))));
        drop(open);
    }

    #[test]
    fn memory_is_bounded() {
        let (known, now) = (Redemptions::default(), Instant::now());
        for number in 0..u32::try_from(MAX_ENTRIES).unwrap() + 100 {
            let from = std::net::Ipv4Addr::from(number).to_string();
            attempt(&known, &number.to_string(), &from, now, false);
        }
        let known = known.lock();
        assert!(known.networks.len() <= MAX_ENTRIES + 1 && known.tokens.len() <= MAX_ENTRIES);
    }
}
