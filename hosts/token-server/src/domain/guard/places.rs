//! Where secrets are checked that people choose: so many at once.
//!
//! Half of the places are for clients that were right lately from where they ask, so that invented
//! ones do not keep them out. Of the other half a network has one at a time: one address that asks
//! a hundred times waits for itself, and not others for it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use scopegate_host::networks::network;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::familiar::Familiarity;

/// How many checks run at once for anybody. Each holds 19 MiB.
const OPEN: usize = 2;
/// How many more for clients that are known.
const RESERVED: usize = 2;

/// The places.
#[derive(Debug)]
pub struct Places {
    open: Arc<Semaphore>,
    reserved: Arc<Semaphore>,
    /// Whose turn it is in each network that asks.
    turns: Arc<Mutex<HashMap<IpAddr, Arc<Semaphore>>>>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub struct Place {
    _place: OwnedSemaphorePermit,
    _turn: Option<Turn>,
}

/// A network's one turn, until it is dropped.
#[derive(Debug)]
struct Turn {
    turns: Arc<Mutex<HashMap<IpAddr, Arc<Semaphore>>>>,
    network: IpAddr,
    _permit: OwnedSemaphorePermit,
}

impl Default for Places {
    fn default() -> Self {
        Self::new(OPEN, RESERVED)
    }
}

impl Places {
    /// So many for anybody, and so many more for clients that are known.
    #[must_use]
    pub fn new(open: usize, reserved: usize) -> Self {
        let [open, reserved] = [open, reserved].map(|places| Arc::new(Semaphore::new(places)));
        Self { open, reserved, turns: Arc::default() }
    }

    /// A place for a client that asks from an address, as soon as there is one that it may have.
    pub async fn acquire(&self, familiarity: Familiarity, address: IpAddr) -> Option<Place> {
        let open = self.acquire_open(network(address));
        match familiarity {
            Familiarity::Unknown => open.await,
            Familiarity::Known => tokio::select! {
                biased;
                place = Arc::clone(&self.reserved).acquire_owned() => {
                    place.ok().map(|place| Place { _place: place, _turn: None })
                }
                place = open => place,
            },
        }
    }

    async fn acquire_open(&self, network: IpAddr) -> Option<Place> {
        let turn = Turn::take(&self.turns, network).await?;
        let place = Arc::clone(&self.open).acquire_owned().await.ok()?;
        Some(Place { _place: place, _turn: Some(turn) })
    }

    /// How many are free.
    #[must_use]
    pub fn free(&self) -> usize {
        self.open.available_permits().saturating_add(self.reserved.available_permits())
    }
}

impl Turn {
    async fn take(
        turns: &Arc<Mutex<HashMap<IpAddr, Arc<Semaphore>>>>,
        network: IpAddr,
    ) -> Option<Self> {
        let one = {
            let mut turns = turns.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(network).or_insert_with(|| Arc::new(Semaphore::new(1))))
        };
        let permit = one.acquire_owned().await.ok()?;
        Some(Self { turns: Arc::clone(turns), network, _permit: permit })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        // This one's permit, and the map itself: nobody else of the network waits.
        if turns.get(&self.network).is_some_and(|one| Arc::strong_count(one) <= 2) {
            turns.remove(&self.network);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const ONE: &str = "203.0.113.1";
    const OTHER: &str = "203.0.113.2";

    async fn place(places: &Places, familiarity: Familiarity, address: &str) -> Option<Place> {
        let place = places.acquire(familiarity, address.parse().unwrap());
        timeout(Duration::from_millis(10), place).await.ok().flatten()
    }

    /// Audit 4b: whoever invents clients does not take the places of those that are known.
    #[tokio::test]
    async fn places_are_kept_for_clients_that_are_known() {
        let taken = Places::new(0, 1);
        assert!(place(&taken, Familiarity::Unknown, ONE).await.is_none());
        assert!(place(&taken, Familiarity::Known, ONE).await.is_some());
    }

    #[tokio::test]
    async fn a_network_has_one_open_place_at_a_time() {
        let places = Places::new(2, 0);
        let first = place(&places, Familiarity::Unknown, ONE).await;
        assert!(first.is_some());
        assert!(place(&places, Familiarity::Unknown, ONE).await.is_none());
        assert!(place(&places, Familiarity::Unknown, OTHER).await.is_some());
        drop(first);
        assert!(place(&places, Familiarity::Unknown, ONE).await.is_some());
        assert!(places.turns.lock().unwrap().is_empty(), "{places:?}");
    }
}
