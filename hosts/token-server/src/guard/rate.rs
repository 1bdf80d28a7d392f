//! Rate limits: so many requests a second, and so many at once after a pause.
//!
//! A limit keeps a number for each key that it has seen lately. Keys come from outside, so their number must not: a key is kept as a
//! hash of 64 bits that nobody outside can compute; every few thousand checks those that have been idle long enough to be full again are
//! dropped; and when too many are left, because somebody invents names, keys share 65,536 numbers until the rush is over. Sharing
//! makes a limit stricter for whoever meets the rush in a bucket, never laxer.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::config::Rate;

/// How many keys are kept apart.
const KEYS: usize = 100_000;
/// How many numbers there are for all keys together when there are too many of them.
const BUCKETS: u64 = 1 << 16;
/// After how many checks idle keys are dropped.
const TIDY_EVERY: u32 = 4096;

type Limiter<C> = RateLimiter<u64, DashMapStateStore<u64>, C, StateInformationMiddleware>;

/// One limit for many keys.
pub struct RateLimit<C: Clock = MonotonicClock> {
    /// Nothing when there is no limit.
    limiter: Option<Limiter<C>>,
    hasher: RandomState,
    checks: AtomicU32,
    is_crowded: AtomicBool,
}

/// Too many requests: how long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// In whole seconds, at least one.
    pub retry_after: u64,
}

impl RateLimit {
    /// A limit by the process's clock.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self::with_clock(rate, MonotonicClock)
    }
}

impl<C: Clock> RateLimit<C> {
    /// A limit by another clock.
    #[must_use]
    pub fn with_clock(rate: Rate, clock: C) -> Self {
        let limiter = quota(rate)
            .map(|quota| RateLimiter::dashmap_with_clock(quota, clock).with_middleware());
        Self {
            limiter,
            hasher: RandomState::new(),
            checks: AtomicU32::new(0),
            is_crowded: AtomicBool::new(false),
        }
    }

    /// Counts one request, and tells how many more may come at once; nothing when there is no limit.
    ///
    /// # Errors
    ///
    /// [`TooMany`] when there were too many with this key.
    pub fn check(&self, key: impl Hash) -> Result<Option<u32>, TooMany> {
        let Some(limiter) = &self.limiter else { return Ok(None) };
        self.tidy_at_times(limiter);
        let checked = limiter.check_key(&self.number(key));
        checked.map(|state| Some(state.remaining_burst_capacity())).map_err(|until| {
            let wait = until.wait_time_from(limiter.clock().now());
            TooMany { retry_after: in_whole_seconds(wait) }
        })
    }

    /// Counts `cost` more requests, as many of them as are left: for what should not have been tried.
    pub fn charge(&self, key: impl Hash, cost: u32) {
        let Some(limiter) = &self.limiter else { return };
        let number = self.number(key);
        for _ in 0..cost {
            if limiter.check_key(&number).is_err() {
                return;
            }
        }
    }

    /// How many keys are kept at this moment.
    #[must_use]
    pub fn len(&self) -> usize {
        self.limiter.as_ref().map_or(0, Limiter::len)
    }

    /// Whether no key is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn number(&self, key: impl Hash) -> u64 {
        let hash = self.hasher.hash_one(key);
        if self.is_crowded.load(Ordering::Relaxed) { hash % BUCKETS } else { hash }
    }

    fn tidy_at_times(&self, limiter: &Limiter<C>) {
        if self.checks.fetch_add(1, Ordering::Relaxed) % TIDY_EVERY == TIDY_EVERY - 1 {
            limiter.retain_recent();
            self.is_crowded.store(limiter.len() > KEYS, Ordering::Relaxed);
        }
    }
}

impl<C: Clock> std::fmt::Debug for RateLimit<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RateLimit").field("keys", &self.len()).finish_non_exhaustive()
    }
}

fn quota(rate: Rate) -> Option<Quota> {
    let burst = NonZeroU32::new(rate.burst)?;
    if !rate.rate.is_normal() || rate.rate < 0.0 {
        return None;
    }
    let between = Duration::try_from_secs_f64(rate.rate.recip()).ok()?;
    Quota::with_period(between).map(|quota| quota.allow_burst(burst))
}

fn in_whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn limit(rate: f64, burst: u32) -> (RateLimit<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (RateLimit::with_clock(Rate { rate, burst }, clock.clone()), clock)
    }

    #[test]
    fn a_burst_then_the_rate() {
        let (limit, clock) = limit(2.0, 3);
        for remaining in [2, 1, 0] {
            assert_eq!(limit.check("a"), Ok(Some(remaining)));
        }
        assert_eq!(limit.check("a"), Err(TooMany { retry_after: 1 }));
        assert_eq!(limit.check("b"), Ok(Some(2)));
        clock.advance(Duration::from_millis(500));
        assert_eq!(limit.check("a"), Ok(Some(0)));
        assert!(limit.check("a").is_err());
    }

    #[test]
    fn the_wait_is_rounded_up() {
        let (limit, clock) = limit(0.1, 1);
        assert_eq!(limit.check("a"), Ok(Some(0)));
        clock.advance(Duration::from_millis(100));
        assert_eq!(limit.check("a"), Err(TooMany { retry_after: 10 }));
    }

    #[test]
    fn a_charge_takes_what_is_left_and_no_more() {
        let (limit, clock) = limit(1.0, 5);
        limit.charge("a", 3);
        assert_eq!((limit.check("a"), limit.check("a")), (Ok(Some(1)), Ok(Some(0))));
        assert!(limit.check("a").is_err());
        limit.charge("a", 1000);
        clock.advance(Duration::from_secs(1));
        assert_eq!(limit.check("a"), Ok(Some(0)));
    }

    #[test]
    fn no_rate_is_no_limit() {
        let (limit, _) = limit(0.0, 1);
        for _ in 0..10_000 {
            assert_eq!(limit.check("a"), Ok(None));
        }
        assert!(limit.is_empty());
    }

    #[test]
    fn invented_keys_do_not_fill_the_memory() {
        let (limit, clock) = limit(1.0, 100);
        for key in 0..300_000 {
            let _ = limit.check(key);
        }
        let most = KEYS + TIDY_EVERY as usize + usize::try_from(BUCKETS).unwrap();
        assert!(limit.len() <= most, "{limit:?}");
        // After the rush everybody is counted apart again.
        clock.advance(Duration::from_secs(1000));
        for _ in 0..TIDY_EVERY {
            let _ = limit.check("a");
        }
        assert!(limit.len() <= 2, "{limit:?}");
        assert!(!limit.is_crowded.load(Ordering::Relaxed));
    }
}
