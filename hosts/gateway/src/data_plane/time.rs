//! Times, in units of 100 nanoseconds since 1970, and as the service writes them: RFC 3339 with as
//! many digits of the second as there are, seven at most.
//!
//! Left out: when something is too old.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// From the beginning of the year 1 to that of 1970.
const YEAR_ONE: i64 = 621_355_968_000_000_000;
/// The beginning of the year 2000. What claims to be older was made by a tool that writes no time.
const CREDIBLE: i64 = 9_466_848_000_000_000;

/// The time.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the data plane's one reading of the clock")]
pub(super) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, ticks_of)
}

/// A duration.
#[must_use]
pub(super) fn ticks_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos() / 100).unwrap_or(i64::MAX)
}

/// A time as the service writes it: `2022-12-13T09:39:26.9955326Z`.
#[must_use]
pub(super) fn written(ticks: i64) -> String {
    let time = Timestamp::from_nanosecond(i128::from(ticks).saturating_mul(100));
    time.unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// The time that a maker wrote into an image, if it can be believed.
#[must_use]
pub(super) fn read(text: &str) -> Option<i64> {
    let time: Timestamp = text.parse().ok()?;
    let ticks = i64::try_from(time.as_nanosecond() / 100).ok()?;
    (ticks >= CREDIBLE).then_some(ticks)
}

/// The key by which a list is sorted. Keys ascend in both orders.
#[must_use]
pub(super) const fn sort_key(ticks: i64, is_descending: bool) -> i64 {
    let since_year_one = ticks.saturating_add(YEAR_ONE);
    if is_descending { i64::MAX.saturating_sub(since_year_one) } else { since_year_one }
}

/// The time that has a key.
#[must_use]
pub(super) const fn of_sort_key(key: i64, is_descending: bool) -> i64 {
    let since_year_one = if is_descending { i64::MAX.saturating_sub(key) } else { key };
    since_year_one.saturating_sub(YEAR_ONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_and_read() {
        for (text, expected) in [
            ("2022-12-13T09:39:26.9955326Z", Some("2022-12-13T09:39:26.9955326Z")),
            ("2022-12-13T09:39:09.1720070Z", Some("2022-12-13T09:39:09.172007Z")),
            ("2022-12-13T09:39:09.000Z", Some("2022-12-13T09:39:09Z")),
            ("2022-12-13T10:39:09.123456789+01:00", Some("2022-12-13T09:39:09.1234567Z")),
            ("1970-01-01T00:00:00Z", None),
            ("0001-01-01T00:00:00Z", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(read(text).map(written).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn sort_keys() {
        let time = read("2019-07-31T12:00:00.5Z").unwrap();
        for is_descending in [false, true] {
            assert_eq!(of_sort_key(sort_key(time, is_descending), is_descending), time);
        }
        assert!(sort_key(time + 1, true) < sort_key(time, true));
        // A key of the service, from a page of tags of 2020.
        assert!(written(of_sort_key(8_586_163_895_140_836_946, true)).starts_with("2020-"));
    }
}
