//! Recent successful logins, by client and network.
//!
//! Pairs of a client and a network, each with the time of its last correct secret. A known pair has
//! reserved slots for checks, and the limit of its name does not apply: guesses come from other
//! networks. While wrong secrets come from its own network, the pair counts as unknown, and uses no
//! reserved slot.
//!
//! Left out: storing them, which [`known_networks`](crate::app::known_networks) does.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use scopegate_host::networks::network;
use scopegate_host::rate::{Rate, RateLimit};

use crate::store::KnownNetwork;

/// How long a pair is known, in seconds.
pub(crate) const KNOWN_FOR: i64 = 30 * 24 * 3600;
/// The maximum number of pairs. Only a correct secret adds one, so they cannot be invented; any
/// further pair stays unknown.
pub(crate) const MAX_PAIRS: usize = 100_000;
/// How old the time of a pair must be before a success renews it, in seconds: each renewal is
/// saved.
const RENEWED_AFTER: i64 = 3600;

/// The wrong secrets that a known pair may send, at once and a second.
const WRONG: Rate = Rate { rate: 0.1, burst: 10 };

/// The same for a client from all networks where it is known.
const WRONG_OF_CLIENT: Rate = Rate { rate: 0.5, burst: 30 };

/// Whether a client logged in recently from its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Familiarity {
    /// It did.
    Known,
    /// It did not, or the pair is not stored.
    Unknown,
}

/// The pairs.
#[derive(Debug)]
pub struct Familiar {
    known: Mutex<HashMap<Pair, Right>>,
    wrong: RateLimit,
    /// The same of all pairs of a client together.
    wrong_of_client: RateLimit,
}

impl Default for Familiar {
    fn default() -> Self {
        Self {
            known: Mutex::default(),
            wrong: RateLimit::new(WRONG),
            wrong_of_client: RateLimit::new(WRONG_OF_CLIENT),
        }
    }
}

/// A client id in lower case, and a network.
type Pair = (String, IpAddr);

#[derive(Clone, Copy, Debug)]
struct Right {
    /// In seconds since 1970.
    at: i64,
    is_kept: bool,
}

impl Right {
    fn is_known(self, now: i64) -> bool {
        now.saturating_sub(self.at) < KNOWN_FOR
    }
}

impl Familiar {
    /// Records a client's correct secret at a time, in seconds since 1970.
    pub fn record_success(&self, client: &str, address: IpAddr, now: i64) {
        let pair = pair(client, address);
        let mut known = self.lock();
        if known.get(&pair).is_some_and(|right| now.saturating_sub(right.at) < RENEWED_AFTER) {
            return;
        }
        make_room(&mut known, now);
        if known.len() < MAX_PAIRS || known.contains_key(&pair) {
            known.insert(pair, Right { at: now, is_kept: false });
        }
    }

    /// Whether a client logged in recently from this network.
    #[must_use]
    pub fn of(&self, client: &str, address: IpAddr, now: i64) -> Familiarity {
        let pair = pair(client, address);
        let is_known = self.lock().get(&pair).is_some_and(|right| right.is_known(now));
        let is_guessed_at =
            || self.wrong.is_used_up(&pair) || self.wrong_of_client.is_used_up(&pair.0);
        if is_known && !is_guessed_at() { Familiarity::Known } else { Familiarity::Unknown }
    }

    /// Records a wrong secret for a client, from a known network or not.
    pub fn record_failure(&self, client: &str, address: IpAddr) {
        let pair = pair(client, address);
        let is_pair = self.lock().contains_key(&pair);
        if is_pair {
            self.wrong.charge(&pair, 1);
            self.wrong_of_client.charge(&pair.0, 1);
        }
    }

    /// Adds stored pairs.
    pub fn load(&self, kept: impl IntoIterator<Item = KnownNetwork>) {
        let mut known = self.lock();
        for KnownNetwork { client, network, right_at } in kept.into_iter().take(MAX_PAIRS) {
            known.entry((client, network)).or_insert(Right { at: right_at, is_kept: true });
        }
    }

    /// The pairs that are not saved yet.
    #[must_use]
    pub fn unsaved(&self) -> Vec<KnownNetwork> {
        let known = self.lock();
        let new = known.iter().filter(|(_, right)| !right.is_kept);
        let keep = |((client, network), right): (&Pair, &Right)| KnownNetwork {
            client: client.clone(),
            network: *network,
            right_at: right.at,
        };
        new.map(keep).collect()
    }

    /// Marks pairs as saved.
    pub fn mark_saved(&self, networks: &[KnownNetwork]) {
        let mut known = self.lock();
        for KnownNetwork { client, network, right_at } in networks {
            if let Some(right) = known.get_mut(&(client.clone(), *network)) {
                right.is_kept = right.at == *right_at;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Pair, Right>> {
        // A panic under the lock leaves only times, which are valid.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pair(client: &str, address: IpAddr) -> Pair {
    (client.to_ascii_lowercase(), network(address))
}

fn make_room(known: &mut HashMap<Pair, Right>, now: i64) {
    if known.len() >= MAX_PAIRS {
        known.retain(|_, right| right.is_known(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_pair_is_known_where_it_was_right_and_for_a_while() {
        let familiar = Familiar::default();
        familiar.record_success("Client", address("2001:db8::1"), NOW);
        for (client, from, at, expected) in [
            ("client", "2001:db8::2", NOW, Familiarity::Known),
            ("client", "2001:db8::2", NOW - 60, Familiarity::Known),
            ("client", "2001:db8:0:1::1", NOW, Familiarity::Unknown),
            ("other", "2001:db8::1", NOW, Familiarity::Unknown),
            ("client", "2001:db8::1", NOW + KNOWN_FOR - 1, Familiarity::Known),
            ("client", "2001:db8::1", NOW + KNOWN_FOR, Familiarity::Unknown),
        ] {
            assert_eq!(familiar.of(client, address(from), at), expected, "{client} {from} {at}");
        }
    }

    #[test]
    fn a_pair_beside_which_somebody_guesses_is_unknown() {
        let familiar = Familiar::default();
        for client in ["guessed", "other"] {
            familiar.record_success(client, address("203.0.113.1"), NOW);
        }
        for _ in 0..10 {
            let of = familiar.of("guessed", address("203.0.113.1"), NOW);
            assert_eq!(of, Familiarity::Known);
            familiar.record_failure("Guessed", address("203.0.113.1"));
            familiar.record_failure("other", address("203.0.113.2"));
        }
        let of = |client| familiar.of(client, address("203.0.113.1"), NOW);
        assert_eq!((of("guessed"), of("other")), (Familiarity::Unknown, Familiarity::Known));
    }

    /// Successes from many networks give a client no more wrong secrets.
    #[test]
    fn a_client_is_unknown_that_is_wrong_in_many_places() {
        let familiar = Familiar::default();
        let networks: Vec<_> = (1..=10).map(|n| address(&format!("203.0.113.{n}"))).collect();
        for network in &networks {
            familiar.record_success("attacker", *network, NOW);
            familiar.record_success("other", *network, NOW);
            for _ in 0..4 {
                familiar.record_failure("attacker", *network);
            }
        }
        let of = |client| familiar.of(client, networks[0], NOW);
        assert_eq!((of("attacker"), of("other")), (Familiarity::Unknown, Familiarity::Known));
    }

    #[test]
    fn what_is_new_is_kept_once_and_recalled() {
        let familiar = Familiar::default();
        familiar.record_success("Client", address("203.0.113.1"), NOW);
        let new = familiar.unsaved();
        assert_eq!(new.len(), 1);
        familiar.mark_saved(&new);
        familiar.record_success("Client", address("203.0.113.1"), NOW + RENEWED_AFTER - 1);
        assert!(familiar.unsaved().is_empty());
        familiar.record_success("Client", address("203.0.113.1"), NOW + RENEWED_AFTER);
        assert_eq!(familiar.unsaved().len(), 1);
        let another = Familiar::default();
        another.load(new);
        assert_eq!(another.of("CLIENT", address("203.0.113.1"), NOW), Familiarity::Known);
        assert!(another.unsaved().is_empty());
    }
}
