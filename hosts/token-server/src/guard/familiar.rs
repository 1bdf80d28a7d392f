//! Who was right lately, and from where.
//!
//! Pairs of a client and a network, each with the time of its last right secret. A pair that is known has places of its own where secrets are
//! checked, and no limit of its name keeps it out: whoever guesses does so from elsewhere.
//!
//! Left out: a memory that outlives the process. After a start everybody is unknown until the first right secret.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use scopegate_host::networks::network;
use tokio::time::Instant;

/// How long a pair is known.
const KNOWN_FOR: Duration = Duration::from_secs(30 * 24 * 3600);
/// How many pairs are known. Only right secrets make one, so nobody can invent them; one more stays unknown.
const MAX_PAIRS: usize = 100_000;

/// Whether a client was right lately from where it asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Familiarity {
    /// It was.
    Known,
    /// It was not, or nobody remembers.
    Unknown,
}

/// The pairs, each by a hash that nobody outside can compute.
#[derive(Debug, Default)]
pub struct Familiar {
    hasher: RandomState,
    right_at: Mutex<HashMap<u64, Instant>>,
}

impl Familiar {
    /// Remembers that a client had a right secret.
    pub fn was_right(&self, client: &str, address: IpAddr) {
        let pair = self.pair(client, address);
        let Ok(mut right_at) = self.right_at.lock() else { return };
        if right_at.len() >= MAX_PAIRS && !right_at.contains_key(&pair) {
            right_at.retain(|_, at| at.elapsed() < KNOWN_FOR);
        }
        if right_at.len() < MAX_PAIRS || right_at.contains_key(&pair) {
            right_at.insert(pair, Instant::now());
        }
    }

    /// Whether a client was right lately from this network.
    #[must_use]
    pub fn of(&self, client: &str, address: IpAddr) -> Familiarity {
        let pair = self.pair(client, address);
        let right_at = self.right_at.lock().ok().and_then(|right_at| right_at.get(&pair).copied());
        match right_at {
            Some(at) if at.elapsed() < KNOWN_FOR => Familiarity::Known,
            _ => Familiarity::Unknown,
        }
    }

    fn pair(&self, client: &str, address: IpAddr) -> u64 {
        self.hasher.hash_one((client.to_ascii_lowercase(), network(address)))
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pair_is_known_where_it_was_right_and_for_a_while() {
        let familiar = Familiar::default();
        let address = |text: &str| text.parse().unwrap();
        familiar.was_right("Client", address("2001:db8::1"));
        for (client, from, expected) in [
            ("client", "2001:db8::2", Familiarity::Known),
            ("client", "2001:db8:0:1::1", Familiarity::Unknown),
            ("other", "2001:db8::1", Familiarity::Unknown),
        ] {
            assert_eq!(familiar.of(client, address(from)), expected, "{client} {from}");
        }
        advance(KNOWN_FOR).await;
        assert_eq!(familiar.of("client", address("2001:db8::1")), Familiarity::Unknown);
    }
}
