//! How much one peer may have at one time, connections or requests, so that it does not have all
//! there are.
//!
//! A network that sent a request with valid credentials in the last minute may have half of all
//! that others have not; anybody else [`UNPROVEN`]. All networks together that sent none in the
//! last thirty days have half of all, so that strangers from many addresses leave room for those
//! that are known. What is above that waits for something of the peer's own to end, and is refused
//! when nothing does. When all places are taken nobody waits.
//!
//! Of IPv6 a peer is a /64. What strangers in one have counts for the /56 and the /48 around it,
//! which have a few times as much.
//!
//! Left out: who is proven, which is for those who look at credentials.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::networks::{Networks, network, wider_networks};

/// The places of a network that nobody knows.
pub const UNPROVEN: usize = 256;
/// How long one waits that is above its peer's number.
const WAIT: Duration = Duration::from_secs(5);
/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// For how long credentials speak for a network.
const PROVEN_FOR: Duration = Duration::from_secs(60);
/// For how long a network with valid credentials is no stranger.
const KNOWN_FOR: Duration = Duration::from_secs(30 * 24 * 3600);
/// How many networks without a place are remembered. Only valid credentials make one.
const MAX_KNOWN: usize = 100_000;
/// How many times as much strangers of a wider network of IPv6 have together as those of the one in
/// it.
const WIDER: usize = 4;
/// After how many proofs those are forgotten that have been too long ago.
const TIDY_EVERY: usize = 1024;

/// The places, by network.
#[derive(Debug, Default)]
pub struct Peers {
    all: usize,
    unproven: usize,
    exempt: Vec<Networks>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    taken: usize,
    /// Those of them that strangers have.
    of_strangers: usize,
    waiting: usize,
    proofs: usize,
    known: HashMap<IpAddr, Peer>,
    /// What strangers have in the /56 and in the /48 of an IPv6 address.
    wider: [HashMap<IpAddr, usize>; 2],
}

#[derive(Clone, Copy, Debug, Default)]
struct Peer {
    taken: usize,
    waiting: usize,
    proven_at: Option<Instant>,
    known_at: Option<Instant>,
}

impl Peer {
    fn is_proven(&self) -> bool {
        self.proven_at.is_some_and(|at| at.elapsed() < PROVEN_FOR)
    }

    fn is_known(&self) -> bool {
        self.known_at.is_some_and(|at| at.elapsed() < KNOWN_FOR)
    }

    /// Whether nothing is known of it.
    fn is_nobody(&self) -> bool {
        self.taken == 0 && self.waiting == 0 && !self.is_known()
    }
}

/// A place of a peer, until it is dropped.
#[derive(Debug)]
pub struct Place {
    peers: Arc<Peers>,
    /// Nothing for one that is exempt.
    network: Option<IpAddr>,
    is_stranger: bool,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.peers.lock();
        state.taken = state.taken.saturating_sub(1);
        if let Some(network) = self.network.filter(|_| self.is_stranger) {
            state.of_strangers = state.of_strangers.saturating_sub(1);
            state.leave_wider(network);
        }
        if let Some(network) = self.network {
            state.change(network, |peer| peer.taken = peer.taken.saturating_sub(1));
        }
    }
}

/// Whether there is a place.
enum Taken {
    Yes {
        is_stranger: bool,
    },
    /// The peer has as many as it may, or strangers have.
    NotNow,
    /// There is none for anybody.
    Full,
}

impl Peers {
    /// So many places in all, and so many for a peer that nobody knows; networks that are exempt
    /// have as many as there are.
    #[must_use]
    pub fn new(all: usize, of_a_peer: usize, exempt: Vec<Networks>) -> Self {
        Self { all, unproven: of_a_peer.min(half(all)), exempt, state: Mutex::default() }
    }

    /// Notes that a request of an address came with valid credentials, and was answered well.
    pub fn prove(&self, address: IpAddr) {
        let now = Some(Instant::now());
        self.note(address, |peer| (peer.proven_at, peer.known_at) = (now, now));
    }

    /// Notes that one did, some time ago.
    pub fn recall(&self, address: IpAddr) {
        self.note(address, |peer| peer.known_at = Some(Instant::now()));
    }

    fn note(&self, address: IpAddr, work: impl FnOnce(&mut Peer)) {
        let mut state = self.lock();
        state.proofs = state.proofs.wrapping_add(1);
        if state.proofs.is_multiple_of(TIDY_EVERY) {
            state.known.retain(|_, peer| !peer.is_nobody());
        }
        let network = network(address);
        if state.known.len() < MAX_KNOWN || state.known.contains_key(&network) {
            state.change(network, work);
        }
    }

    /// A place for a peer; nothing where there is none for as long as one waits, and at once where
    /// there is none for anybody.
    pub async fn admit(self: Arc<Self>, address: IpAddr) -> Option<Place> {
        let is_exempt = self.exempt.iter().any(|networks| networks.contain(address));
        let network = (!is_exempt).then(|| network(address));
        let _waiting = match self.take(network) {
            Taken::Yes { is_stranger } => {
                return Some(Place { peers: self, network, is_stranger });
            }
            Taken::NotNow => Waiting::begin(&self, network?)?,
            Taken::Full => return None,
        };
        let until = Instant::now() + WAIT;
        while Instant::now() < until {
            sleep(LOOK_EVERY).await;
            if let Taken::Yes { is_stranger } = self.take(network) {
                return Some(Place { peers: Arc::clone(&self), network, is_stranger });
            }
        }
        None
    }

    /// Counts one more, if there may be one.
    fn take(&self, network: Option<IpAddr>) -> Taken {
        let mut state = self.lock();
        if state.taken >= self.all {
            return Taken::Full;
        }
        let free = self.all.saturating_sub(state.taken);
        let has_room = network.is_none_or(|network| {
            state.of_strangers < half(self.all) && state.has_wider_room(network, self.unproven)
        });
        let taken = network.map_or(Taken::Yes { is_stranger: false }, |network| {
            state.change(network, |peer| {
                // What others have is not there to be halved: two of them would have all.
                let share = peer.taken.saturating_add(free) / 2;
                let most = if peer.is_proven() { share.max(self.unproven) } else { self.unproven };
                let is_stranger = !peer.is_known();
                if peer.taken >= most || (is_stranger && !has_room) {
                    return Taken::NotNow;
                }
                peer.taken += 1;
                Taken::Yes { is_stranger }
            })
        });
        if let Taken::Yes { is_stranger } = taken {
            state.taken += 1;
            if let Some(network) = network.filter(|_| is_stranger) {
                state.of_strangers += 1;
                state.enter_wider(network);
            }
        }
        taken
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A thread that ended with it left numbers, which are good.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether strangers of the networks around one may have one more.
    fn has_wider_room(&self, network: IpAddr, unproven: usize) -> bool {
        let limits = [WIDER, WIDER * WIDER].map(|times| unproven.saturating_mul(times));
        let around = wider_networks(network).into_iter().flatten();
        self.wider
            .iter()
            .zip(limits)
            .zip(around)
            .all(|((taken, limit), network)| taken.get(&network).is_none_or(|taken| *taken < limit))
    }

    fn enter_wider(&mut self, network: IpAddr) {
        for (taken, network) in
            self.wider.iter_mut().zip(wider_networks(network).into_iter().flatten())
        {
            *taken.entry(network).or_default() += 1;
        }
    }

    fn leave_wider(&mut self, network: IpAddr) {
        for (taken, network) in
            self.wider.iter_mut().zip(wider_networks(network).into_iter().flatten())
        {
            if let Some(count) = taken.get_mut(&network) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    taken.remove(&network);
                }
            }
        }
    }

    fn change<T>(&mut self, network: IpAddr, work: impl FnOnce(&mut Peer) -> T) -> T {
        let peer = self.known.entry(network).or_default();
        let done = work(peer);
        if peer.is_nobody() {
            self.known.remove(&network);
        }
        done
    }
}

/// The most that one peer may have.
fn half(all: usize) -> usize {
    (all / 2).max(1)
}

/// Somebody who waits. As many may wait as there are places, half of them of one peer.
struct Waiting<'p> {
    peers: &'p Peers,
    network: IpAddr,
}

impl<'p> Waiting<'p> {
    fn begin(peers: &'p Peers, network: IpAddr) -> Option<Self> {
        let mut state = peers.lock();
        let may_wait = state.waiting < peers.all
            && state.change(network, |peer| {
                let may_wait = peer.waiting < half(peers.all);
                peer.waiting += usize::from(may_wait);
                may_wait
            });
        state.waiting += usize::from(may_wait);
        may_wait.then(|| Self { peers, network })
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.peers.lock();
        state.waiting = state.waiting.saturating_sub(1);
        state.change(self.network, |peer| peer.waiting = peer.waiting.saturating_sub(1));
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
    async fn networks_of_ipv6_nest() {
        let peers = Arc::new(Peers::new(4096, 10, Vec::new()));
        let mut taken = Vec::new();
        for of_56 in 0..20 {
            for of_64 in 0..8 {
                let address = format!("2001:db8:0:{:x}::1", of_56 * 256 + of_64);
                taken.extend(places(&peers, &address, 20).await);
            }
            assert_eq!(taken.len(), (40 * (of_56 + 1)).min(160));
        }
        assert_eq!(places(&peers, "2001:db8:1::1", 20).await.len(), 10);
        drop(taken);
        assert!(peers.lock().wider.iter().all(HashMap::is_empty));
    }

    #[tokio::test(start_paused = true)]
    async fn two_networks_with_valid_credentials_do_not_have_all() {
        let peers = Arc::new(Peers::new(4096, UNPROVEN, Vec::new()));
        let mut taken = Vec::new();
        for (address, expected) in [(ATTACKER, 2048), (OTHER, 1024), ("203.0.113.3", 512)] {
            peers.prove(address.parse().unwrap());
            let got = places(&peers, address, 5000).await;
            assert_eq!(got.len(), expected);
            taken.extend(got);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn strangers_leave_room_for_those_that_are_known() {
        let peers = Arc::new(Peers::new(100, 10, Vec::new()));
        peers.recall(OTHER.parse().unwrap());
        let mut taken = Vec::new();
        for stranger in 10..20 {
            taken.extend(places(&peers, &format!("203.0.113.{stranger}"), 10).await);
        }
        assert_eq!(taken.len(), 50);
        assert_eq!(places(&peers, OTHER, 20).await.len(), 10);
        drop(taken);
        assert_eq!(peers.lock().of_strangers, 0);
        assert_eq!(places(&peers, ATTACKER, 20).await.len(), 10);
        tokio::time::advance(KNOWN_FOR).await;
        peers.lock().known.retain(|_, peer| !peer.is_nobody());
        assert!(peers.lock().known.is_empty());
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
        let taken = places(&peers, ATTACKER, 1000).await;
        assert_eq!(taken.len(), 100);
        assert!(peers.lock().known.is_empty());
        assert!(places(&peers, OTHER, 1).await.is_empty(), "there are no more for anybody");
        drop(taken);
        assert_eq!(peers.lock().taken, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn as_many_wait_as_there_are_places() {
        let peers = Arc::new(Peers::new(8, 1, Vec::new()));
        let _taken = places(&peers, ATTACKER, 1).await;
        let wait = || tokio::spawn(Arc::clone(&peers).admit(ATTACKER.parse().unwrap()));
        let waiting: Vec<_> = (0..9).map(|_| wait()).collect();
        tokio::task::yield_now().await;
        assert_eq!(peers.lock().waiting, 4);
        for refused in waiting {
            assert!(refused.await.unwrap().is_none());
        }
        let state = peers.lock();
        assert_eq!((state.waiting, state.taken), (0, 1));
    }
}
