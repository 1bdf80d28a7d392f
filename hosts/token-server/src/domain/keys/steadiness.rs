//! Whether the clock is steady: it has not jumped recently.
//!
//! A clock may be set wrong for a minute, by a person, a time server or a virtual machine. Tokens
//! of that minute expire; a key that was made or deleted then is a lasting change. No change of
//! keys is urgent, so none is planned until the clock has agreed with the process's monotonic clock
//! for [`SETTLING_TIME`].
//!
//! Left out: a clock that was wrong already when the process began, which
//! [`rotation`](super::rotation) survives.

use std::time::{Duration, Instant};

/// How long a clock must have been steady.
pub(crate) const SETTLING_TIME: Duration = Duration::from_secs(60 * 60);
/// How far the two clocks may drift apart between two readings, in seconds.
const TOLERANCE: u64 = 30;

/// The last readings of both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steadiness {
    wall: i64,
    monotonic: Instant,
    jumped_at: Option<Instant>,
}

impl Steadiness {
    /// A clock that counts as steady so far.
    #[must_use]
    pub(crate) fn new(wall: i64, monotonic: Instant) -> Self {
        Self { wall, monotonic, jumped_at: None }
    }

    /// Takes the readings of both clocks; returns whether the first is steady.
    pub(crate) fn look(&mut self, wall: i64, monotonic: Instant) -> bool {
        let elapsed = monotonic.saturating_duration_since(self.monotonic).as_secs();
        let expected = self.wall.saturating_add_unsigned(elapsed);
        let seconds = wall.saturating_sub(expected);
        if seconds.unsigned_abs() > TOLERANCE {
            tracing::warn!(seconds, "the clock jumped; signing keys stay as they are for an hour");
            self.jumped_at = Some(monotonic);
        }
        (self.wall, self.monotonic) = (wall, monotonic);
        self.jumped_at.is_none_or(|at| monotonic.saturating_duration_since(at) >= SETTLING_TIME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR: i64 = 365 * 24 * 60 * 60;

    #[test]
    fn nothing_is_planned_by_a_clock_that_jumped() {
        let start = Instant::now();
        let mut steadiness = Steadiness::new(1000, start);
        // Minutes since the start, the clock's error, and whether it counts as steady.
        for (minute, off, expected) in [
            (1, 0, true),
            (2, 1, true),
            (3, -2, true),
            (4, YEAR, false),
            (5, 0, false),
            (30, 0, false),
            (64, 0, false),
            (65, 0, true),
            (66, 31, false),
            (67, 31, false),
            (126, 31, true),
            (127, -YEAR, false),
            (187, -YEAR, true),
        ] {
            let wall = 1000 + 60 * minute + off;
            let monotonic = start + Duration::from_secs(60 * minute.unsigned_abs());
            assert_eq!(steadiness.look(wall, monotonic), expected, "minute {minute}");
        }
    }
}
