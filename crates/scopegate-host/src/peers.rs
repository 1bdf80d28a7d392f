//! How many connections one peer may have, so that it does not have all of them.
//!
//! A network that sent a request with valid credentials lately may have half of all; anybody else [`UNPROVEN`]. A connection above that waits,
//! unread, for one of the peer's own to end, and is closed when none does. Proxies of our own are not counted: all connections of a proxy are
//! one peer's, and it has limits of its own.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::networks::{Networks, network};

/// The connections of a network that nobody knows.
pub const UNPROVEN: usize = 256;
/// How long a connection above its peer's number waits.
const WAIT: Duration = Duration::from_secs(5);
/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How many connections of one peer wait at most; one more is closed at once.
const MAX_WAITING: usize = 256;
/// For how long credentials speak for a network.
const PROVEN_FOR: Duration = Duration::from_secs(60);

/// The connections by network.
#[derive(Debug, Default)]
pub struct Peers {
    half: usize,
    unproven: usize,
    exempt: Vec<Networks>,
    known: Mutex<HashMap<IpAddr, Peer>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Peer {
    connections: usize,
    waiting: usize,
    proven_at: Option<Instant>,
}

impl Peer {
    fn is_proven(&self) -> bool {
        self.proven_at.is_some_and(|at| at.elapsed() < PROVEN_FOR)
    }
}

/// A connection of a peer, until it is dropped.
#[derive(Debug)]
pub struct Place {
    peers: Arc<Peers>,
    network: Option<IpAddr>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(network) = self.network else { return };
        self.peers.change(network, |peer| peer.connections = peer.connections.saturating_sub(1));
    }
}

impl Peers {
    /// For so many connections in all, and so many of a peer that nobody knows; networks that are exempt are not counted.
    #[must_use]
    pub fn new(connections: usize, of_a_peer: usize, exempt: Vec<Networks>) -> Self {
        let half = (connections / 2).max(1);
        Self { half, unproven: of_a_peer.min(half), exempt, known: Mutex::default() }
    }

    /// Notes that a request of an address came with valid credentials, and was answered well.
    pub fn prove(&self, address: IpAddr) {
        self.change(network(address), |peer| peer.proven_at = Some(Instant::now()));
    }

    /// A place for a connection; nothing where the peer has too many for as long as one waits.
    pub async fn admit(self: Arc<Self>, address: IpAddr) -> Option<Place> {
        if self.exempt.iter().any(|networks| networks.contain(address)) {
            return Some(Place { peers: self, network: None });
        }
        let network = network(address);
        if self.take(network) {
            return Some(Place { peers: self, network: Some(network) });
        }
        let _waiting = Waiting::begin(&self, network)?;
        let until = Instant::now() + WAIT;
        while Instant::now() < until {
            sleep(LOOK_EVERY).await;
            if self.take(network) {
                return Some(Place { peers: Arc::clone(&self), network: Some(network) });
            }
        }
        None
    }

    /// Counts a connection, if its network may have one more.
    fn take(&self, network: IpAddr) -> bool {
        self.change(network, |peer| {
            let most = if peer.is_proven() { self.half } else { self.unproven };
            let is_free = peer.connections < most;
            peer.connections += usize::from(is_free);
            is_free
        })
    }

    fn change<T>(&self, network: IpAddr, work: impl FnOnce(&mut Peer) -> T) -> T {
        let mut known = self.lock();
        let peer = known.entry(network).or_default();
        let done = work(peer);
        // A network is kept as long as something is known of it. Whoever is proven has had a connection, so these are not many.
        if peer.connections == 0 && peer.waiting == 0 && !peer.is_proven() {
            known.remove(&network);
        }
        done
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Peer>> {
        // A thread that ended with it left numbers, which are good.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that waits.
struct Waiting<'p> {
    peers: &'p Peers,
    network: IpAddr,
}

impl<'p> Waiting<'p> {
    fn begin(peers: &'p Peers, network: IpAddr) -> Option<Self> {
        let may_wait = peers.change(network, |peer| {
            let may_wait = peer.waiting < MAX_WAITING;
            peer.waiting += usize::from(may_wait);
            may_wait
        });
        may_wait.then_some(Self { peers, network })
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.peers.change(self.network, |peer| peer.waiting = peer.waiting.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ATTACKER: &str = "203.0.113.1";
    const OTHER: &str = "203.0.113.2";

    /// As many places as an address gets at once.
    async fn places(peers: &Arc<Peers>, address: &str, most: usize) -> Vec<Place> {
        let mut places = Vec::new();
        for _ in 0..most {
            match Arc::clone(peers).admit(address.parse().unwrap()).await {
                Some(place) => places.push(place),
                None => break,
            }
        }
        places
    }

    /// Audit 4a: one address had all connections.
    #[tokio::test(start_paused = true)]
    async fn one_address_does_not_have_them_all() {
        let peers = Arc::new(Peers::new(4096, UNPROVEN, Vec::new()));
        let taken = places(&peers, ATTACKER, 5000).await;
        assert_eq!(taken.len(), UNPROVEN);
        assert_eq!(places(&peers, OTHER, 10).await.len(), 10);
        drop(taken);
        assert_eq!(places(&peers, ATTACKER, 5).await.len(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_with_valid_credentials_has_half_for_a_minute() {
        let peers = Arc::new(Peers::new(4096, UNPROVEN, Vec::new()));
        peers.prove(ATTACKER.parse().unwrap());
        let taken = places(&peers, ATTACKER, 5000).await;
        assert_eq!(taken.len(), 2048);
        drop(taken);
        tokio::time::advance(PROVEN_FOR).await;
        assert_eq!(places(&peers, ATTACKER, 5000).await.len(), UNPROVEN);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_waits_for_one_of_its_own_to_end() {
        let peers = Arc::new(Peers::new(2, UNPROVEN, Vec::new()));
        let mut taken = places(&peers, ATTACKER, 1).await;
        let waiting = tokio::spawn(Arc::clone(&peers).admit(ATTACKER.parse().unwrap()));
        tokio::time::advance(Duration::from_secs(1)).await;
        taken.clear();
        assert!(waiting.await.unwrap().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn networks_that_are_exempt_are_not_counted() {
        let peers =
            Arc::new(Peers::new(100, UNPROVEN, vec![Networks::parse(["203.0.113.0/24"]).unwrap()]));
        assert_eq!(places(&peers, ATTACKER, 1000).await.len(), 1000);
        assert!(peers.lock().is_empty());
    }
}
