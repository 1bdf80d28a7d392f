//! Whether the clock can be planned by: it has not jumped lately.
//!
//! A clock may be set wrong for a minute, by a person, a time server or a virtual machine. Tokens
//! of that minute expire by themselves; a key that was made or removed then stays so. Nothing about
//! keys is urgent, so nothing is planned until the clock has gone as the process's own monotonic
//! clock does for [`SETTLED`].
//!
//! Left out: a clock that was wrong already when the process began, which
//! [`rotation`](super::rotation) survives.

use std::time::{Duration, Instant};

/// How long a clock must have been steady.
pub(crate) const SETTLED: Duration = Duration::from_secs(60 * 60);
/// How far the two clocks may drift apart between two looks, in seconds.
const TOLERANCE: u64 = 30;

/// What the clocks said at the last look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steadiness {
    wall: i64,
    monotonic: Instant,
    jumped_at: Option<Instant>,
}

impl Steadiness {
    /// A clock of which nothing bad is known.
    #[must_use]
    pub(crate) fn new(wall: i64, monotonic: Instant) -> Self {
        Self { wall, monotonic, jumped_at: None }
    }

    /// Looks at both clocks. Says whether the first can be planned by.
    pub(crate) fn look(&mut self, wall: i64, monotonic: Instant) -> bool {
        let elapsed = monotonic.saturating_duration_since(self.monotonic).as_secs();
        let expected = self.wall.saturating_add_unsigned(elapsed);
        let seconds = wall.saturating_sub(expected);
        if seconds.unsigned_abs() > TOLERANCE {
            tracing::warn!(seconds, "the clock jumped; signing keys stay as they are for an hour");
            self.jumped_at = Some(monotonic);
        }
        (self.wall, self.monotonic) = (wall, monotonic);
        self.jumped_at.is_none_or(|at| monotonic.saturating_duration_since(at) >= SETTLED)
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
        // Minutes since the start, how far the clock is off, and whether it can be planned by.
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
