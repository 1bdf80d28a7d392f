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
//! Where places are handed over and none is left, one that asks takes the oldest of the network
//! that has the most: as many networks as it takes to have all, known ones too, do not keep out one
//! that has few.
//!
//! Left out: who is proven, which is for those who look at credentials.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
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
    hands_over: bool,
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
    /// The places of each network, the oldest first.
    held: HashMap<IpAddr, BTreeMap<u64, Held>>,
    next: u64,
}

#[derive(Debug)]
struct Held {
    is_stranger: bool,
    leave: Arc<Leave>,
}

/// Whether a place was given to somebody else.
#[derive(Debug, Default)]
struct Leave {
    is_asked: AtomicBool,
    notify: Notify,
}

/// Tells the holder of a place when it was given to somebody else.
#[derive(Clone, Debug)]
pub struct Leaving(Arc<Leave>);

impl Leaving {
    /// Whether it was.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.0.is_asked.load(Ordering::Acquire)
    }

    /// Resolves when it is.
    pub async fn asked(&self) {
        let mut notified = std::pin::pin!(self.0.notify.notified());
        // From here on nothing is missed.
        notified.as_mut().enable();
        if !self.is_asked() {
            notified.await;
        }
    }
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
pub struct Slot {
    peers: Arc<Peers>,
    /// Nothing for one that is exempt.
    network: Option<IpAddr>,
    id: u64,
    leave: Arc<Leave>,
}

impl Slot {
    /// Tells when this place was given to somebody else. Its holder is to leave at once, also in
    /// the middle of a request: else a client that keeps requests open has more than there are.
    #[must_use]
    pub fn leaving(&self) -> Leaving {
        Leaving(Arc::clone(&self.leave))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.peers.lock();
        match self.network {
            // One that was given to somebody else is counted as theirs.
            Some(network) => drop(state.leave(network, self.id)),
            None => state.taken = state.taken.saturating_sub(1),
        }
    }
}

/// Whether there is a place.
enum Taken {
    Yes {
        id: u64,
        leave: Arc<Leave>,
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
        let unproven = of_a_peer.min(half(all));
        Self { all, unproven, exempt, hands_over: false, state: Mutex::default() }
    }

    /// The same where a place can be taken from the network that has the most: those who hold one
    /// have to look at [`Slot::leaving`].
    #[must_use]
    pub fn handing_over(self) -> Self {
        Self { hands_over: true, ..self }
    }

    /// Notes that a request of an address came with valid credentials, and was answered well.
    pub fn prove(&self, address: IpAddr) {
        let now = Some(Instant::now());
        self.note(address, |peer| (peer.proven_at, peer.known_at) = (now, now));
    }

    /// Notes that one did, some time ago.
    pub fn restore(&self, address: IpAddr) {
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
    pub async fn admit(self: Arc<Self>, address: IpAddr) -> Option<Slot> {
        let is_exempt = self.exempt.iter().any(|networks| networks.contain(address));
        let network = (!is_exempt).then(|| network(address));
        let _waiting = match self.take(network) {
            Taken::Yes { id, leave } => {
                return Some(Slot { peers: self, network, id, leave });
            }
            Taken::NotNow => Waiting::begin(&self, network?)?,
            Taken::Full => return None,
        };
        let until = Instant::now() + WAIT;
        while Instant::now() < until {
            sleep(LOOK_EVERY).await;
            if let Taken::Yes { id, leave } = self.take(network) {
                return Some(Slot { peers: Arc::clone(&self), network, id, leave });
            }
        }
        None
    }

    /// Counts one more, if there may be one, or takes it from the peer that has the most.
    fn take(&self, network: Option<IpAddr>) -> Taken {
        let mut state = self.lock();
        let Some(network) = network else {
            if state.taken >= self.all && !self.hand_over(&mut state, 0, false) {
                return Taken::Full;
            }
            state.taken += 1;
            return Taken::Yes { id: 0, leave: Arc::default() };
        };
        let peer = state.known.get(&network).copied().unwrap_or_default();
        let is_stranger = !peer.is_known();
        // What others have is not there to be halved: two of them would have all.
        let free = self.all.saturating_sub(state.taken);
        let share = peer.taken.saturating_add(free) / 2;
        let most = if peer.is_proven() { share.max(self.unproven) } else { self.unproven };
        let has_room = !is_stranger || state.has_wider_room(network, self.unproven);
        if peer.taken >= most || !has_room {
            return Taken::NotNow;
        }
        let is_crowded = is_stranger && state.of_strangers >= half(self.all);
        if is_crowded && !self.hand_over(&mut state, peer.taken, true) {
            return Taken::NotNow;
        }
        if state.taken >= self.all && !self.hand_over(&mut state, peer.taken, false) {
            return Taken::Full;
        }
        state.enter(network, is_stranger)
    }

    /// Frees a place, where places are handed over.
    fn hand_over(&self, state: &mut State, own: usize, of_strangers: bool) -> bool {
        self.hands_over && state.take_from_largest(own, of_strangers)
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

    fn enter(&mut self, network: IpAddr, is_stranger: bool) -> Taken {
        self.taken += 1;
        self.change(network, |peer| peer.taken += 1);
        if is_stranger {
            self.of_strangers += 1;
            self.enter_wider(network);
        }
        let (id, leave) = (self.next, Arc::<Leave>::default());
        self.next = self.next.wrapping_add(1);
        let held = Held { is_stranger, leave: Arc::clone(&leave) };
        self.held.entry(network).or_default().insert(id, held);
        Taken::Yes { id, leave }
    }

    fn leave(&mut self, network: IpAddr, id: u64) -> Option<Held> {
        let places = self.held.get_mut(&network)?;
        let held = places.remove(&id)?;
        if places.is_empty() {
            self.held.remove(&network);
        }
        self.taken = self.taken.saturating_sub(1);
        self.change(network, |peer| peer.taken = peer.taken.saturating_sub(1));
        if held.is_stranger {
            self.of_strangers = self.of_strangers.saturating_sub(1);
            self.leave_wider(network);
        }
        Some(held)
    }

    /// Takes a place from the network that has the most, the oldest of it, where it has at least
    /// two more than one that asks. Only strangers leave for a stranger who has no room among them.
    fn take_from_largest(&mut self, own: usize, of_strangers: bool) -> bool {
        let may_leave = |held: &Held| held.is_stranger || !of_strangers;
        let places = |places: &BTreeMap<u64, Held>| {
            let oldest = places.iter().find(|(_, held)| may_leave(held)).map(|(id, _)| *id);
            oldest.map(|oldest| (places.len(), oldest))
        };
        let held = self.held.iter();
        let all = held.filter_map(|(network, held)| Some((places(held)?, *network)));
        let largest = all.max_by_key(|((count, _), _)| *count);
        let Some(((_, oldest), network)) =
            largest.filter(|((count, _), _)| *count >= own.saturating_add(2))
        else {
            return false;
        };
        if let Some(held) = self.leave(network, oldest) {
            held.leave.is_asked.store(true, Ordering::Release);
            held.leave.notify.notify_waiters();
        }
        true
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
    async fn places(peers: &Arc<Peers>, address: &str, most: usize) -> Vec<Slot> {
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

    /// The second attack: a client of low rights, which logs in from many networks, has all places.
    #[tokio::test(start_paused = true)]
    async fn a_place_is_taken_from_the_network_that_has_the_most() {
        let peers = Arc::new(Peers::new(100, 10, Vec::new()).handing_over());
        let mut taken = Vec::new();
        for attacker in 10..30 {
            let address = format!("203.0.113.{attacker}");
            peers.prove(address.parse().unwrap());
            tokio::time::advance(PROVEN_FOR).await;
            taken.extend(places(&peers, &address, 10).await);
        }
        let left = |taken: &[Slot]| taken.iter().filter(|p| p.leaving().is_asked()).count();
        let before = left(&taken);
        assert_eq!(peers.lock().taken, 100);
        let own = places(&peers, OTHER, 3).await;
        assert_eq!((own.len(), left(&taken) - before, left(&own)), (3, 3, 0));
        assert_eq!(peers.lock().taken, 100);
        drop(taken);
        assert_eq!(peers.lock().taken, 3);
        drop(own);
        assert!(peers.lock().held.is_empty());
        let state = peers.lock();
        assert_eq!((state.taken, state.of_strangers), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_as_many_takes_nothing() {
        let peers = Arc::new(Peers::new(4, 2, Vec::new()).handing_over());
        for address in [ATTACKER, OTHER] {
            peers.restore(address.parse().unwrap());
        }
        let first = [places(&peers, ATTACKER, 2).await, places(&peers, OTHER, 2).await];
        assert_eq!(first.iter().map(Vec::len).sum::<usize>(), 4);
        peers.restore("203.0.113.3".parse().unwrap());
        let third = places(&peers, "203.0.113.3", 2).await;
        assert_eq!(third.len(), 1, "one of two, and then as many as the others");
        let mut asked = first.iter().flatten().map(Slot::leaving);
        let asked = asked.find(Leaving::is_asked).unwrap();
        tokio::time::timeout(WAIT, asked.asked()).await.unwrap();
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
        peers.restore(OTHER.parse().unwrap());
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
