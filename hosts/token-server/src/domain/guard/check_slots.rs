//! Bounds how many chosen secrets are hashed concurrently.
//!
//! Half of the slots are reserved for clients with a recent success from the same network, so that
//! invented clients do not lock them out. Of the other half a network has one at a time: a hundred
//! concurrent attempts of one address wait for each other, and delay no other network.
//!
//! Management on an address of its own has one slot of the other half, so that no client of the
//! public address takes it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use scopegate_host::networks::network;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::familiar::Familiarity;

/// How many checks run concurrently for any client. Each holds 19 MiB.
const OPEN_SLOTS: usize = 2;
/// How many of these are of management on an address of its own.
const MANAGEMENT_SLOTS: usize = 1;
/// How many more run for known clients.
const RESERVED_SLOTS: usize = 2;

#[derive(Debug)]
pub struct CheckSlots {
    open: Arc<Semaphore>,
    reserved: Arc<Semaphore>,
    /// One permit for each network with a waiting or running check.
    networks: Arc<Mutex<HashMap<IpAddr, Arc<Semaphore>>>>,
}

/// A slot, held until it is dropped.
#[derive(Debug)]
pub struct CheckSlot {
    _permit: OwnedSemaphorePermit,
    _network: Option<NetworkSlot>,
}

/// A network's one open slot, held until it is dropped.
#[derive(Debug)]
struct NetworkSlot {
    networks: Arc<Mutex<HashMap<IpAddr, Arc<Semaphore>>>>,
    network: IpAddr,
    _permit: OwnedSemaphorePermit,
}

impl Default for CheckSlots {
    fn default() -> Self {
        Self::new(OPEN_SLOTS, RESERVED_SLOTS)
    }
}

impl CheckSlots {
    /// Slots for any client, and reserved slots for known ones.
    #[must_use]
    pub fn new(open: usize, reserved: usize) -> Self {
        Self::beside(open, Arc::new(Semaphore::new(reserved)))
    }

    /// The slots of the public address and of management's own: in total as many as for one
    /// address. The reserved ones are shared.
    #[must_use]
    pub fn apart() -> (Self, Self) {
        let reserved = Arc::new(Semaphore::new(RESERVED_SLOTS));
        let public = Self::beside(OPEN_SLOTS - MANAGEMENT_SLOTS, Arc::clone(&reserved));
        (public, Self::beside(MANAGEMENT_SLOTS, reserved))
    }

    fn beside(open: usize, reserved: Arc<Semaphore>) -> Self {
        Self { open: Arc::new(Semaphore::new(open)), reserved, networks: Arc::default() }
    }

    /// Waits for a slot that a client from this address may use.
    pub async fn acquire(&self, familiarity: Familiarity, address: IpAddr) -> Option<CheckSlot> {
        let open = self.acquire_open(network(address));
        match familiarity {
            Familiarity::Unknown => open.await,
            Familiarity::Known => tokio::select! {
                biased;
                slot = Arc::clone(&self.reserved).acquire_owned() => {
                    slot.ok().map(|slot| CheckSlot { _permit: slot, _network: None })
                }
                slot = open => slot,
            },
        }
    }

    async fn acquire_open(&self, network: IpAddr) -> Option<CheckSlot> {
        let network_slot = NetworkSlot::take(&self.networks, network).await?;
        let slot = Arc::clone(&self.open).acquire_owned().await.ok()?;
        Some(CheckSlot { _permit: slot, _network: Some(network_slot) })
    }

    /// How many are free.
    #[must_use]
    pub fn free(&self) -> usize {
        self.open.available_permits().saturating_add(self.reserved.available_permits())
    }
}

impl NetworkSlot {
    async fn take(
        networks: &Arc<Mutex<HashMap<IpAddr, Arc<Semaphore>>>>,
        network: IpAddr,
    ) -> Option<Self> {
        let one = {
            let mut networks = networks.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(networks.entry(network).or_insert_with(|| Arc::new(Semaphore::new(1))))
        };
        let permit = one.acquire_owned().await.ok()?;
        Some(Self { networks: Arc::clone(networks), network, _permit: permit })
    }
}

impl Drop for NetworkSlot {
    fn drop(&mut self) {
        let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
        // This permit, and the map itself: no other check of the network waits.
        if networks.get(&self.network).is_some_and(|one| Arc::strong_count(one) <= 2) {
            networks.remove(&self.network);
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

    async fn slot(
        slots: &CheckSlots,
        familiarity: Familiarity,
        address: &str,
    ) -> Option<CheckSlot> {
        let slot = slots.acquire(familiarity, address.parse().unwrap());
        timeout(Duration::from_millis(10), slot).await.ok().flatten()
    }

    /// Audit 4b: invented clients do not take the slots of known ones.
    #[tokio::test]
    async fn places_are_kept_for_clients_that_are_known() {
        let taken = CheckSlots::new(0, 1);
        assert!(slot(&taken, Familiarity::Unknown, ONE).await.is_none());
        assert!(slot(&taken, Familiarity::Known, ONE).await.is_some());
    }

    #[tokio::test]
    async fn management_has_a_slot_of_its_own() {
        let (public, management) = CheckSlots::apart();
        let mut taken = Vec::new();
        for familiarity in [Familiarity::Known, Familiarity::Known, Familiarity::Unknown] {
            taken.push(slot(&public, familiarity, ONE).await.unwrap());
        }
        for address in [ONE, OTHER] {
            assert!(slot(&public, Familiarity::Unknown, address).await.is_none());
            assert!(slot(&public, Familiarity::Known, address).await.is_none());
        }
        for familiarity in [Familiarity::Unknown, Familiarity::Known] {
            let of_management = slot(&management, familiarity, ONE).await;
            assert!(of_management.is_some(), "{familiarity:?}");
            assert!(slot(&management, Familiarity::Unknown, OTHER).await.is_none());
        }
    }

    #[tokio::test]
    async fn a_network_has_one_open_slot_at_a_time() {
        let slots = CheckSlots::new(2, 0);
        let first = slot(&slots, Familiarity::Unknown, ONE).await;
        assert!(first.is_some());
        assert!(slot(&slots, Familiarity::Unknown, ONE).await.is_none());
        assert!(slot(&slots, Familiarity::Unknown, OTHER).await.is_some());
        drop(first);
        assert!(slot(&slots, Familiarity::Unknown, ONE).await.is_some());
        assert!(slots.networks.lock().unwrap().is_empty(), "{slots:?}");
    }
}
