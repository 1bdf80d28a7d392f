//! Where secrets are checked that people choose: so many at once.
//!
//! Half of the places are for clients that were right lately from where they ask, so that invented
//! ones do not keep them out.

use std::sync::Arc;

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
        Self { open: Arc::new(Semaphore::new(open)), reserved: Arc::new(Semaphore::new(reserved)) }
    }

    /// A place for a client, as soon as there is one that it may have.
    pub async fn acquire(&self, familiarity: Familiarity) -> Option<OwnedSemaphorePermit> {
        let open = Arc::clone(&self.open).acquire_owned();
        match familiarity {
            Familiarity::Unknown => open.await.ok(),
            Familiarity::Known => tokio::select! {
                biased;
                place = Arc::clone(&self.reserved).acquire_owned() => place.ok(),
                place = open => place.ok(),
            },
        }
    }

    /// How many are free.
    #[must_use]
    pub fn free(&self) -> usize {
        self.open.available_permits().saturating_add(self.reserved.available_permits())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// Audit 4b: whoever invents clients does not take the places of those that are known.
    #[tokio::test]
    async fn places_are_kept_for_clients_that_are_known() {
        let taken = Places::new(0, 1);
        let wait = |familiarity| timeout(Duration::from_millis(10), taken.acquire(familiarity));
        assert!(wait(Familiarity::Unknown).await.is_err());
        assert!(wait(Familiarity::Known).await.is_ok_and(|place| place.is_some()));
    }
}
