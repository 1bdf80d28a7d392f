//! Bounds the concurrent connections or requests of one peer, so that it cannot take all of them.
//!
//! A network with valid credentials in the last minute may have half of the slots that others do
//! not use; any other network has [`UNPROVEN`]. Networks without valid credentials in the last
//! thirty days are strangers; together they have half of all slots, so that strangers from many
//! addresses leave room for known networks. A connection above the limit waits for one of its
//! peer's own slots, and is refused when none becomes free. When all slots are taken, no connection
//! waits.
//!
//! For IPv6 a peer is a /64. The slots of strangers also count for the /56 and the /48 around it,
//! which may have a few times as many.
//!
//! With hand-over, when no slot is left, a new connection takes the oldest slot of the network that
//! has the most. Networks that together have all slots, even known ones, cannot lock out a network
//! with few.
//!
//! Left out: which networks are proven, which the callers decide that verify credentials.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::networks::{Networks, network, wider_networks};

/// The slots of a network without recent valid credentials.
pub const UNPROVEN: usize = 256;
/// How long a connection above its peer's limit waits.
const WAIT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a waiting connection tries again.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);
/// How long valid credentials prove a network.
const PROVEN_FOR: Duration = Duration::from_secs(60);
/// How long a network with valid credentials is known.
const KNOWN_FOR: Duration = Duration::from_secs(30 * 24 * 3600);
/// The maximum number of known networks. Only valid credentials add one.
const MAX_KNOWN: usize = 100_000;
/// How many times the slots of a network of IPv6 the strangers of the next wider one have together.
const WIDER: usize = 4;
/// After how many proofs expired networks are removed.
const TIDY_INTERVAL: usize = 1024;

/// The slots, by network.
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
    /// The slots of strangers.
    of_strangers: usize,
    waiting: usize,
    proofs: usize,
    known: HashMap<IpAddr, Peer>,
    /// The slots of strangers in each /56 and each /48 of IPv6.
    wider: [HashMap<IpAddr, usize>; 2],
    /// The slots of each network, the oldest first.
    slots: HashMap<IpAddr, BTreeMap<u64, HeldSlot>>,
    next: u64,
}

#[derive(Debug)]
struct HeldSlot {
    is_stranger: bool,
    leave: Arc<Leave>,
}

/// Whether a slot was given to another network.
#[derive(Debug, Default)]
struct Leave {
    is_asked: AtomicBool,
    notify: Notify,
}

/// Notifies the holder of a slot when it was given to another network.
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
        // From here on no notification is missed.
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

    /// Whether it has no state worth keeping.
    fn is_unused(&self) -> bool {
        self.taken == 0 && self.waiting == 0 && !self.is_known()
    }
}

/// A slot of a peer, held until it is dropped.
#[derive(Debug)]
pub struct Slot {
    peers: Arc<Peers>,
    /// `None` for an exempt peer.
    network: Option<IpAddr>,
    id: u64,
    leave: Arc<Leave>,
}

impl Slot {
    /// Notifies when this slot was given to another network. Its holder must close at once, even in
    /// the middle of a request: otherwise a client that keeps requests open exceeds the total.
    #[must_use]
    pub fn leaving(&self) -> Leaving {
        Leaving(Arc::clone(&self.leave))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.peers.lock();
        match self.network {
            // A slot that was given away is counted for its new network.
            Some(network) => drop(state.leave(network, self.id)),
            None => state.taken = state.taken.saturating_sub(1),
        }
    }
}

/// The outcome of taking a slot.
enum Taken {
    Yes {
        id: u64,
        leave: Arc<Leave>,
    },
    /// The peer, or strangers together, are at their limit.
    NotNow,
    /// All slots are taken.
    Full,
}

impl Peers {
    /// `all` slots in total, and `of_a_peer` for an unproven peer; exempt networks are bounded only
    /// by the total.
    #[must_use]
    pub fn new(all: usize, of_a_peer: usize, exempt: Vec<Networks>) -> Self {
        let unproven = of_a_peer.min(half(all));
        Self { all, unproven, exempt, hands_over: false, state: Mutex::default() }
    }

    /// The same with hand-over: a slot can be taken from the network that has the most, so holders
    /// must watch [`Slot::leaving`].
    #[must_use]
    pub fn handing_over(self) -> Self {
        Self { hands_over: true, ..self }
    }

    /// Records a request with valid credentials from an address.
    pub fn prove(&self, address: IpAddr) {
        let now = Some(Instant::now());
        self.note(address, |peer| (peer.proven_at, peer.known_at) = (now, now));
    }

    /// Records valid credentials of an address from some time ago.
    pub fn restore(&self, address: IpAddr) {
        self.note(address, |peer| peer.known_at = Some(Instant::now()));
    }

    fn note(&self, address: IpAddr, work: impl FnOnce(&mut Peer)) {
        let mut state = self.lock();
        state.proofs = state.proofs.wrapping_add(1);
        if state.proofs.is_multiple_of(TIDY_INTERVAL) {
            state.known.retain(|_, peer| !peer.is_unused());
        }
        let network = network(address);
        if state.known.len() < MAX_KNOWN || state.known.contains_key(&network) {
            state.change(network, work);
        }
    }

    /// A slot for a peer; `None` when none becomes free in time, and at once when all slots are
    /// taken.
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
        let until = Instant::now() + WAIT_TIMEOUT;
        while Instant::now() < until {
            sleep(RETRY_INTERVAL).await;
            if let Taken::Yes { id, leave } = self.take(network) {
                return Some(Slot { peers: Arc::clone(&self), network, id, leave });
            }
        }
        None
    }

    /// Takes a free slot within the limits, or one of the peer that has the most.
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
        // The slots of other peers are not counted here: two such peers would have all.
        let free = self.all.saturating_sub(state.taken);
        let share = peer.taken.saturating_add(free) / 2;
        let limit = if peer.is_proven() { share.max(self.unproven) } else { self.unproven };
        let has_room = !is_stranger || state.has_wider_room(network, self.unproven);
        if peer.taken >= limit || !has_room {
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

    /// Frees a slot, with hand-over.
    fn hand_over(&self, state: &mut State, own: usize, of_strangers: bool) -> bool {
        self.hands_over && state.take_from_largest(own, of_strangers)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the lock leaves only valid numbers.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether the wider networks have room for one more stranger.
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
        let slot = HeldSlot { is_stranger, leave: Arc::clone(&leave) };
        self.slots.entry(network).or_default().insert(id, slot);
        Taken::Yes { id, leave }
    }

    fn leave(&mut self, network: IpAddr, id: u64) -> Option<HeldSlot> {
        let own = self.slots.get_mut(&network)?;
        let slot = own.remove(&id)?;
        if own.is_empty() {
            self.slots.remove(&network);
        }
        self.taken = self.taken.saturating_sub(1);
        self.change(network, |peer| peer.taken = peer.taken.saturating_sub(1));
        if slot.is_stranger {
            self.of_strangers = self.of_strangers.saturating_sub(1);
            self.leave_wider(network);
        }
        Some(slot)
    }

    /// Takes the oldest slot of the network that has the most, if it has at least two more than the
    /// new one. Only a stranger's slot is taken when strangers are at their limit.
    fn take_from_largest(&mut self, own: usize, of_strangers: bool) -> bool {
        let may_leave = |slot: &HeldSlot| slot.is_stranger || !of_strangers;
        let oldest_of = |slots: &BTreeMap<u64, HeldSlot>| {
            let oldest = slots.iter().find(|(_, slot)| may_leave(slot)).map(|(id, _)| *id);
            oldest.map(|oldest| (slots.len(), oldest))
        };
        let slots = self.slots.iter();
        let all = slots.filter_map(|(network, slots)| Some((oldest_of(slots)?, *network)));
        let largest = all.max_by_key(|((count, _), _)| *count);
        let Some(((_, oldest), network)) =
            largest.filter(|((count, _), _)| *count >= own.saturating_add(2))
        else {
            return false;
        };
        if let Some(slot) = self.leave(network, oldest) {
            slot.leave.is_asked.store(true, Ordering::Release);
            slot.leave.notify.notify_waiters();
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
        if peer.is_unused() {
            self.known.remove(&network);
        }
        done
    }
}

/// The maximum of one peer.
fn half(all: usize) -> usize {
    (all / 2).max(1)
}

/// A waiting connection. As many may wait as there are slots, half of them of one peer.
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

    /// Takes as many slots as an address gets at once.
    async fn slots(peers: &Arc<Peers>, address: &str, limit: usize) -> Vec<Slot> {
        let mut slots = Vec::new();
        for _ in 0..limit {
            match Arc::clone(peers).admit(address.parse().unwrap()).await {
                Some(slot) => slots.push(slot),
                None => break,
            }
        }
        slots
    }

    /// Audit 4a: one address had all connections.
    #[tokio::test(start_paused = true)]
    async fn one_address_does_not_have_them_all() {
        let peers = Arc::new(Peers::new(4096, UNPROVEN, Vec::new()));
        let taken = slots(&peers, ATTACKER, 5000).await;
        assert_eq!(taken.len(), UNPROVEN);
        assert_eq!(slots(&peers, OTHER, 10).await.len(), 10);
        drop(taken);
        assert_eq!(slots(&peers, ATTACKER, 5).await.len(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_with_valid_credentials_has_half_for_a_minute() {
        let peers = Arc::new(Peers::new(4096, UNPROVEN, Vec::new()));
        peers.prove(ATTACKER.parse().unwrap());
        let taken = slots(&peers, ATTACKER, 5000).await;
        assert_eq!(taken.len(), 2048);
        drop(taken);
        tokio::time::advance(PROVEN_FOR).await;
        assert_eq!(slots(&peers, ATTACKER, 5000).await.len(), UNPROVEN);
    }

    /// The second attack: a client with few rights, which logs in from many networks, takes all
    /// slots.
    #[tokio::test(start_paused = true)]
    async fn a_place_is_taken_from_the_network_that_has_the_most() {
        let peers = Arc::new(Peers::new(100, 10, Vec::new()).handing_over());
        let mut taken = Vec::new();
        for attacker in 10..30 {
            let address = format!("203.0.113.{attacker}");
            peers.prove(address.parse().unwrap());
            tokio::time::advance(PROVEN_FOR).await;
            taken.extend(slots(&peers, &address, 10).await);
        }
        let left = |taken: &[Slot]| taken.iter().filter(|p| p.leaving().is_asked()).count();
        let before = left(&taken);
        assert_eq!(peers.lock().taken, 100);
        let own = slots(&peers, OTHER, 3).await;
        assert_eq!((own.len(), left(&taken) - before, left(&own)), (3, 3, 0));
        assert_eq!(peers.lock().taken, 100);
        drop(taken);
        assert_eq!(peers.lock().taken, 3);
        drop(own);
        assert!(peers.lock().slots.is_empty());
        let state = peers.lock();
        assert_eq!((state.taken, state.of_strangers), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_as_many_takes_nothing() {
        let peers = Arc::new(Peers::new(4, 2, Vec::new()).handing_over());
        for address in [ATTACKER, OTHER] {
            peers.restore(address.parse().unwrap());
        }
        let first = [slots(&peers, ATTACKER, 2).await, slots(&peers, OTHER, 2).await];
        assert_eq!(first.iter().map(Vec::len).sum::<usize>(), 4);
        peers.restore("203.0.113.3".parse().unwrap());
        let third = slots(&peers, "203.0.113.3", 2).await;
        assert_eq!(third.len(), 1, "one of two, and then as many as the others");
        let mut asked = first.iter().flatten().map(Slot::leaving);
        let asked = asked.find(Leaving::is_asked).unwrap();
        tokio::time::timeout(WAIT_TIMEOUT, asked.asked()).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn networks_of_ipv6_nest() {
        let peers = Arc::new(Peers::new(4096, 10, Vec::new()));
        let mut taken = Vec::new();
        for of_56 in 0..20 {
            for of_64 in 0..8 {
                let address = format!("2001:db8:0:{:x}::1", of_56 * 256 + of_64);
                taken.extend(slots(&peers, &address, 20).await);
            }
            assert_eq!(taken.len(), (40 * (of_56 + 1)).min(160));
        }
        assert_eq!(slots(&peers, "2001:db8:1::1", 20).await.len(), 10);
        drop(taken);
        assert!(peers.lock().wider.iter().all(HashMap::is_empty));
    }

    #[tokio::test(start_paused = true)]
    async fn two_networks_with_valid_credentials_do_not_have_all() {
        let peers = Arc::new(Peers::new(4096, UNPROVEN, Vec::new()));
        let mut taken = Vec::new();
        for (address, expected) in [(ATTACKER, 2048), (OTHER, 1024), ("203.0.113.3", 512)] {
            peers.prove(address.parse().unwrap());
            let got = slots(&peers, address, 5000).await;
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
            taken.extend(slots(&peers, &format!("203.0.113.{stranger}"), 10).await);
        }
        assert_eq!(taken.len(), 50);
        assert_eq!(slots(&peers, OTHER, 20).await.len(), 10);
        drop(taken);
        assert_eq!(peers.lock().of_strangers, 0);
        assert_eq!(slots(&peers, ATTACKER, 20).await.len(), 10);
        tokio::time::advance(KNOWN_FOR).await;
        peers.lock().known.retain(|_, peer| !peer.is_unused());
        assert!(peers.lock().known.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_waits_for_one_of_its_own_to_end() {
        let peers = Arc::new(Peers::new(2, UNPROVEN, Vec::new()));
        let mut taken = slots(&peers, ATTACKER, 1).await;
        let waiting = tokio::spawn(Arc::clone(&peers).admit(ATTACKER.parse().unwrap()));
        tokio::time::advance(Duration::from_secs(1)).await;
        taken.clear();
        assert!(waiting.await.unwrap().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn networks_that_are_exempt_are_not_counted() {
        let peers =
            Arc::new(Peers::new(100, UNPROVEN, vec![Networks::parse(["203.0.113.0/24"]).unwrap()]));
        let taken = slots(&peers, ATTACKER, 1000).await;
        assert_eq!(taken.len(), 100);
        assert!(peers.lock().known.is_empty());
        assert!(slots(&peers, OTHER, 1).await.is_empty(), "there are no more for any peer");
        drop(taken);
        assert_eq!(peers.lock().taken, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn as_many_wait_as_there_are_slots() {
        let peers = Arc::new(Peers::new(8, 1, Vec::new()));
        let _taken = slots(&peers, ATTACKER, 1).await;
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
