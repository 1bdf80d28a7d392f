//! Rate limits: a rate of requests, and a burst after a pause.
//!
//! The generic cell rate algorithm, over the library's store. A wrong guess is charged more than a
//! request, even from an empty bucket: the key then owes up to one more burst. Otherwise a guesser
//! with an empty bucket would pay one request for each guess.
//!
//! A limit keeps one number for each recent key. Keys come from clients, so their number must be
//! bounded. A key is stored as a keyed hash of 64 bits, which clients cannot compute. Every few
//! thousand checks, keys whose bucket is full again are dropped. When too many are left, because a
//! client invents names, keys share 65,536 buckets until the flood is over. Sharing can only make a
//! limit stricter, never laxer.

use std::convert::Infallible;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock, MonotonicClock, Reference as _};
use governor::nanos::Nanos;
use governor::state::StateStore as _;
use governor::state::keyed::{DashMapStateStore, ShrinkableKeyedStateStore as _};
use serde::Deserialize;

/// The maximum number of keys with a bucket each.
const MAX_KEYS: usize = 100_000;
/// The number of shared buckets, when there are too many keys.
const BUCKETS: u64 = 1 << 16;
/// After how many checks idle keys are dropped.
const TIDY_INTERVAL: u32 = 4096;

/// A rate of requests, and a burst after a pause.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Rate {
    /// Requests a second; a fraction is fine, and 0 is no limit.
    pub rate: f64,
    /// The maximum number of requests at once.
    pub burst: u32,
}

/// One limit for many keys.
pub struct RateLimit<C: Clock = MonotonicClock> {
    /// `None` without a limit.
    quota: Option<Quota>,
    clock: C,
    start: C::Instant,
    /// For each key the time, since the start, at which its bucket is full again.
    full_at: DashMapStateStore<u64>,
    hasher: RandomState,
    checks: AtomicU32,
    is_crowded: AtomicBool,
}

/// Too many requests, and how long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// In whole seconds, at least one.
    pub retry_after: u64,
}

/// A rate in nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Quota {
    /// The cost of one request.
    each: u64,
    /// The maximum cost at once.
    burst: u64,
}

impl Quota {
    /// `None` for a rate of 0, which is no limit.
    fn new(rate: Rate) -> Option<Self> {
        if !rate.rate.is_normal() || rate.rate < 0.0 || rate.burst == 0 {
            return None;
        }
        let each = Duration::try_from_secs_f64(rate.rate.recip()).ok()?.as_nanos();
        let each = u64::try_from(each).unwrap_or(u64::MAX).max(1);
        Some(Self { each, burst: each.saturating_mul(rate.burst.into()) })
    }
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
        Self {
            quota: Quota::new(rate),
            start: clock.now(),
            clock,
            full_at: DashMapStateStore::default(),
            hasher: RandomState::new(),
            checks: AtomicU32::new(0),
            is_crowded: AtomicBool::new(false),
        }
    }

    /// Counts one request, and returns how many more may come at once; `None` without a limit.
    ///
    /// # Errors
    ///
    /// [`TooMany`] above the limit of this key. A refused request is not counted.
    pub fn check(&self, key: impl Hash) -> Result<Option<u32>, TooMany> {
        let Some(Quota { each, burst }) = self.quota else { return Ok(None) };
        self.tidy_at_times();
        let now = self.now();
        self.full_at.measure_and_replace(&self.number(key), |full_at| {
            let full_at = full_at.map_or(0, u64::from).max(now).saturating_add(each);
            let taken = full_at - now;
            if taken > burst {
                return Err(TooMany { retry_after: in_whole_seconds(taken - burst) });
            }
            let left = u32::try_from((burst - taken) / each).unwrap_or(u32::MAX);
            Ok((Some(left), Nanos::from(full_at)))
        })
    }

    /// Counts `cost` more requests, even from an empty bucket: for wrong guesses.
    pub fn charge(&self, key: impl Hash, cost: u32) {
        let Some(Quota { each, burst }) = self.quota else { return };
        let now = self.now();
        let charged = self.full_at.measure_and_replace(&self.number(key), |full_at| {
            let full_at = full_at.map_or(0, u64::from).max(now);
            let charged = full_at.saturating_add(each.saturating_mul(cost.into()));
            let limit = now.saturating_add(burst).saturating_add(burst);
            Ok::<_, Infallible>(((), Nanos::from(charged.min(limit.max(full_at)))))
        });
        match charged {
            Ok(()) => {}
        }
    }

    /// Whether a key's bucket is empty. Counts nothing.
    #[must_use]
    pub fn is_used_up(&self, key: impl Hash) -> bool {
        let Some(Quota { each, burst }) = self.quota else { return false };
        let now = self.now();
        let taken = self.full_at.measure_and_replace(&self.number(key), |full_at| {
            let full_at = full_at.map_or(0, u64::from).max(now);
            Err::<((), Nanos), u64>(full_at - now)
        });
        taken.err().is_some_and(|taken| taken.saturating_add(each) > burst)
    }

    /// The current number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.full_at.len()
    }

    /// Whether there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn number(&self, key: impl Hash) -> u64 {
        let hash = self.hasher.hash_one(key);
        if self.is_crowded.load(Ordering::Relaxed) { hash % BUCKETS } else { hash }
    }

    fn now(&self) -> u64 {
        self.clock.now().duration_since(self.start).into()
    }

    fn tidy_at_times(&self) {
        if self.checks.fetch_add(1, Ordering::Relaxed) % TIDY_INTERVAL == TIDY_INTERVAL - 1 {
            self.full_at.retain_recent(Nanos::from(self.now()));
            self.is_crowded.store(self.len() > MAX_KEYS, Ordering::Relaxed);
        }
    }
}

impl<C: Clock> std::fmt::Debug for RateLimit<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RateLimit").field("keys", &self.len()).finish_non_exhaustive()
    }
}

fn in_whole_seconds(nanoseconds: u64) -> u64 {
    nanoseconds.div_ceil(1_000_000_000).max(1)
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
    fn a_charge_is_owed_where_nothing_is_left() {
        let (limit, clock) = limit(1.0, 5);
        limit.charge("a", 3);
        assert_eq!((limit.check("a"), limit.check("a")), (Ok(Some(1)), Ok(Some(0))));
        assert!(limit.check("a").is_err());
        limit.charge("a", 2);
        clock.advance(Duration::from_secs(2));
        assert_eq!(limit.check("a"), Err(TooMany { retry_after: 1 }));
        clock.advance(Duration::from_secs(1));
        assert_eq!(limit.check("a"), Ok(Some(0)));
    }

    #[test]
    fn nobody_owes_more_than_may_come_at_once() {
        let (limit, clock) = limit(1.0, 5);
        limit.charge("a", u32::MAX);
        assert_eq!(limit.check("a"), Err(TooMany { retry_after: 6 }));
        limit.charge("a", u32::MAX);
        clock.advance(Duration::from_secs(6));
        assert_eq!(limit.check("a"), Ok(Some(0)));
    }

    /// Audit 4d: of a rate of 200 a second, one guess for ten requests is 20 guesses a second, for
    /// any duration.
    #[test]
    fn guesses_at_an_empty_bucket_cost_as_much_as_at_a_full_one() {
        let (limit, clock) = limit(200.0, 2000);
        let mut guesses = 0;
        for _ in 0..60_000 {
            clock.advance(Duration::from_millis(1));
            if limit.check("a").is_ok() {
                guesses += 1;
                limit.charge("a", 9);
            }
        }
        // A minute, and the burst.
        assert!((1200..=1420).contains(&guesses), "{guesses}");
    }

    #[test]
    fn a_look_counts_nothing() {
        let (limit, clock) = limit(1.0, 2);
        for _ in 0..5 {
            assert!(!limit.is_used_up("a"));
        }
        limit.charge("a", 2);
        assert!(limit.is_used_up("a") && limit.check("a").is_err());
        assert!(!limit.is_used_up("b"));
        clock.advance(Duration::from_secs(1));
        assert!(!limit.is_used_up("a"));
    }

    #[test]
    fn no_rate_is_no_limit() {
        let (limit, _) = limit(0.0, 1);
        assert!(!limit.is_used_up("a"));
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
        let max_len = MAX_KEYS + TIDY_INTERVAL as usize + usize::try_from(BUCKETS).unwrap();
        assert!(limit.len() <= max_len, "{limit:?}");
        // After the flood each key has its own bucket again.
        clock.advance(Duration::from_secs(1000));
        for _ in 0..TIDY_INTERVAL {
            let _ = limit.check("a");
        }
        assert!(limit.len() <= 2, "{limit:?}");
        assert!(!limit.is_crowded.load(Ordering::Relaxed));
    }
}
