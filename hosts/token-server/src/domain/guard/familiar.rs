//! Who was right lately, and from where.
//!
//! Pairs of a client and a network, each with the time of its last right secret. A pair that is
//! known has places of its own where secrets are checked, and no limit of its name keeps it out:
//! whoever guesses does so from elsewhere. Where somebody guesses beside it, in the same network,
//! the pair counts as unknown for as long, and takes no place of the others.
//!
//! Left out: keeping them, which is [`remember`](crate::app::remember)'s.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use scopegate_host::networks::network;
use scopegate_host::rate::{Rate, RateLimit};

use crate::store::KnownNetwork;

/// How long a pair is known, in seconds.
pub(crate) const KNOWN_FOR: i64 = 30 * 24 * 3600;
/// How many pairs are known. Only right secrets make one, so nobody can invent them; one more stays
/// unknown.
pub(crate) const MAX_PAIRS: usize = 100_000;
/// How old the time of a pair may be until a right secret makes it new, in seconds: it is written
/// down each time.
const RENEWED_AFTER: i64 = 3600;

/// How many wrong secrets a pair that is known has at once, and in a second.
const WRONG: Rate = Rate { rate: 0.1, burst: 10 };

/// The same for a client from all networks where it is known.
const WRONG_OF_CLIENT: Rate = Rate { rate: 0.5, burst: 30 };

/// Whether a client was right lately from where it asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Familiarity {
    /// It was.
    Known,
    /// It was not, or nobody remembers.
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
    /// Remembers that a client had a right secret at a time, in seconds since 1970.
    pub fn was_right(&self, client: &str, address: IpAddr, now: i64) {
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

    /// Whether a client was right lately from this network.
    #[must_use]
    pub fn of(&self, client: &str, address: IpAddr, now: i64) -> Familiarity {
        let pair = pair(client, address);
        let is_known = self.lock().get(&pair).is_some_and(|right| right.is_known(now));
        let is_guessed_at =
            || self.wrong.is_used_up(&pair) || self.wrong_of_client.is_used_up(&pair.0);
        if is_known && !is_guessed_at() { Familiarity::Known } else { Familiarity::Unknown }
    }

    /// Notes that somebody had a wrong secret in the name of a client, from its network or not.
    pub fn was_wrong(&self, client: &str, address: IpAddr) {
        let pair = pair(client, address);
        let is_pair = self.lock().contains_key(&pair);
        if is_pair {
            self.wrong.charge(&pair, 1);
            self.wrong_of_client.charge(&pair.0, 1);
        }
    }

    /// Takes over what was kept.
    pub fn recall(&self, kept: impl IntoIterator<Item = KnownNetwork>) {
        let mut known = self.lock();
        for KnownNetwork { client, network, right_at } in kept.into_iter().take(MAX_PAIRS) {
            known.entry((client, network)).or_insert(Right { at: right_at, is_kept: true });
        }
    }

    /// What is to be kept.
    #[must_use]
    pub fn to_keep(&self) -> Vec<KnownNetwork> {
        let known = self.lock();
        let new = known.iter().filter(|(_, right)| !right.is_kept);
        let keep = |((client, network), right): (&Pair, &Right)| KnownNetwork {
            client: client.clone(),
            network: *network,
            right_at: right.at,
        };
        new.map(keep).collect()
    }

    /// Notes what is kept.
    pub fn kept(&self, networks: &[KnownNetwork]) {
        let mut known = self.lock();
        for KnownNetwork { client, network, right_at } in networks {
            if let Some(right) = known.get_mut(&(client.clone(), *network)) {
                right.is_kept = right.at == *right_at;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Pair, Right>> {
        // A thread that ended with it left times, which are good.
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
        familiar.was_right("Client", address("2001:db8::1"), NOW);
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
            familiar.was_right(client, address("203.0.113.1"), NOW);
        }
        for _ in 0..10 {
            let of = familiar.of("guessed", address("203.0.113.1"), NOW);
            assert_eq!(of, Familiarity::Known);
            familiar.was_wrong("Guessed", address("203.0.113.1"));
            familiar.was_wrong("other", address("203.0.113.2"));
        }
        let of = |client| familiar.of(client, address("203.0.113.1"), NOW);
        assert_eq!((of("guessed"), of("other")), (Familiarity::Unknown, Familiarity::Known));
    }

    /// One that was right from many networks has no more wrong secrets for it.
    #[test]
    fn a_client_is_unknown_that_is_wrong_in_many_places() {
        let familiar = Familiar::default();
        let networks: Vec<_> = (1..=10).map(|n| address(&format!("203.0.113.{n}"))).collect();
        for network in &networks {
            familiar.was_right("attacker", *network, NOW);
            familiar.was_right("other", *network, NOW);
            for _ in 0..4 {
                familiar.was_wrong("attacker", *network);
            }
        }
        let of = |client| familiar.of(client, networks[0], NOW);
        assert_eq!((of("attacker"), of("other")), (Familiarity::Unknown, Familiarity::Known));
    }

    #[test]
    fn what_is_new_is_kept_once_and_recalled() {
        let familiar = Familiar::default();
        familiar.was_right("Client", address("203.0.113.1"), NOW);
        let new = familiar.to_keep();
        assert_eq!(new.len(), 1);
        familiar.kept(&new);
        familiar.was_right("Client", address("203.0.113.1"), NOW + RENEWED_AFTER - 1);
        assert!(familiar.to_keep().is_empty());
        familiar.was_right("Client", address("203.0.113.1"), NOW + RENEWED_AFTER);
        assert_eq!(familiar.to_keep().len(), 1);
        let another = Familiar::default();
        another.recall(new);
        assert_eq!(another.of("CLIENT", address("203.0.113.1"), NOW), Familiarity::Known);
        assert!(another.to_keep().is_empty());
    }
}
